"""A throwaway PostgreSQL cluster on a free loopback port, from the system's own binaries."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.stack import free_port, wait_until

ACCOUNT = "postgres"
_DEBIAN = Path("/usr/lib/postgresql")


class AbsentError(RuntimeError):
    """There is no PostgreSQL that could be started; the message says what is missing."""


def _binaries() -> Path:
    """The folder of `initdb` and `postgres`.

    Raises:
        AbsentError: They are not installed.
    """
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise AbsentError("PostgreSQL is not installed (Debian: postgresql)")
    return versions[-1].parent


def _account() -> str | None:
    """Who runs the server: initdb refuses root. None for whoever runs the tests.

    Raises:
        AbsentError: The tests run as root and there is no account for the server.
    """
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError as error:
        raise AbsentError(f"there is no account {ACCOUNT!r}, and initdb refuses root") from error
    return ACCOUNT


@contextmanager
def cluster() -> Iterator[str]:
    """Run a cluster for the length of the block.

    Yields:
        A URL of its server without a database name; `CREATE DATABASE` is allowed.

    Raises:
        AbsentError: There is nothing to run.
    """
    binaries, account = _binaries(), _account()
    # Not in pytest's folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="huixin-postgres-"))
    if account:
        shutil.chown(folder, account, account)
    port = free_port()
    try:
        subprocess.run(
            [
                *(binaries / "initdb", "--pgdata", folder / "data", "--username", "huixin"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            user=account,
            group=account,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=120,
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *(binaries / "postgres", "-D", folder / "data", "-p", str(port)),
                    *("-c", "listen_addresses=127.0.0.1", "-k", str(folder), "-c", "fsync=off"),
                ],
                user=account,
                group=account,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(lambda: _answers(server, port), "PostgreSQL", 60)
            yield f"postgresql+psycopg://huixin@127.0.0.1:{port}"
        finally:
            # Fast shutdown: sessions that are still open are ended.
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(server: "subprocess.Popen[bytes]", port: int) -> bool:
    if server.poll() is not None:
        raise RuntimeError(f"PostgreSQL has ended with {server.returncode}")
    try:
        psycopg.connect(_dsn(port), connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _dsn(port: int) -> str:
    return f"host=127.0.0.1 port={port} user=huixin dbname=postgres"


def new_database(server: str, name: str) -> str:
    """Make an empty database in a cluster; gives its URL."""
    port = int(server.rsplit(":", 1)[1])
    with psycopg.connect(_dsn(port), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{server}/{name}"
