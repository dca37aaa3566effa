"""Starts Huixin's programs by forking: `python -m tests.support.forge SOCKET MODULE...`.

Importing Rasa takes three times as long as all the rest of its start, and a test that kills
processes starts dozens. Here the modules are imported once; each program is then a process of its
own, with its own variables and its own memory, that runs its `__main__` from the beginning, as
`python -m` does. Nothing is shared but what an import leaves behind.

Whoever wants a program connects to the socket and sends one line of JSON: `module`, `arguments`,
`environment`, `folder`, `log` (a file that is appended to). It gets a line with the process id,
and a line with the exit status when the process has ended. The forge ends with its standard input,
and what it has started ends with it.

Standard library only: it runs in both environments.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from typing import Any

from tools.child import die_with

Wanted = dict[str, Any]


def serve(listener: socket.socket) -> Wanted | None:
    """Fork a process for every request.

    Returns:
        What is to be run, in the new process; None in the forge, at the end.
    """
    forge = os.getpid()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return None
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _watch(connection, forge)
        connection.close()


def _watch(connection: socket.socket, forge: int) -> Wanted:
    """Fork the program and stay behind to tell how it ends; returns in the program only."""
    # The forge is not interested in its children, this one is.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with(forge)
    with connection.makefile("rw", encoding="utf-8") as line:
        asked = line.readline()
        if not asked:
            # Somebody only looked whether the forge serves.
            os._exit(0)
        wanted: Wanted = json.loads(asked)
        watcher, program = os.getpid(), os.fork()
        if program == 0:
            die_with(watcher)
            connection.close()
            return wanted
        try:
            line.write(f"{program}\n")
            line.flush()
            _, status = os.waitpid(program, 0)
            line.write(f"{os.waitstatus_to_exitcode(status)}\n")
            line.flush()
        except (BrokenPipeError, KeyboardInterrupt):
            # Nobody wants to know.
            pass
        os._exit(0)


def become(wanted: Wanted) -> None:
    """Run a module as `python -m` does."""
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(wanted["log"], _APPEND, 0o600)
    for source, targets in ((nothing, (0,)), (log, (1, 2))):
        for target in targets:
            os.dup2(source, target)
        os.close(source)
    os.environ.clear()
    os.environ.update(_left_by_imports(wanted["environment"]))
    os.chdir(wanted["folder"])
    sys.argv[1:] = wanted["arguments"]
    # Its like was imported for what it imports, and is not the one that runs now.
    sys.modules.pop(f"{wanted['module']}.__main__", None)
    runpy.run_module(wanted["module"], run_name="__main__", alter_sys=True)


_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_AT_START = dict(os.environ)
_IMPORTED: dict[str, str] = {}


def _left_by_imports(environment: dict[str, str]) -> dict[str, str]:
    """Variables that a module sets when it is imported; what is given goes before them."""
    return {**_IMPORTED, **environment}


def main(path: str, *modules: str) -> None:
    """Import, then serve until the standard input ends."""
    for module in modules:
        importlib.import_module(module)
    _IMPORTED.update({k: v for k, v in os.environ.items() if _AT_START.get(k) != v})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        wanted = serve(listener)
    if wanted is not None:
        become(wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
