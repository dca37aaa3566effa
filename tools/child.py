"""Turns itself into a program that ends when its parent does.

Run as a file, not imported: ``python -I -S child.py <parent's pid> <program> [argument ...]``.
On Linux the kernel is asked to send SIGTERM as soon as the parent is gone, however it went
(``PR_SET_PDEATHSIG``, man 2 prctl); the setting stays when this process becomes the program.
Elsewhere the program runs without this net.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Ask the kernel for SIGTERM at the parent's death.

    Args:
        parent: the parent's process id. If it died before the request was in place, this
            process ends here with status 1.

    Raises:
        OSError: the kernel refused.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Become the program named on the command line; status 127 if it cannot be run."""
    parent, *command = sys.argv[1:]
    die_with(int(parent))
    try:
        # The command comes from tools/ only, and goes to the system without a shell.
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        sys.exit(127)


if __name__ == "__main__":
    main()
