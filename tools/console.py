"""What the tools say to the person at the terminal, and how they give up."""

from __future__ import annotations

import sys
from collections.abc import Callable


class ToolError(Exception):
    """Something that the person at the terminal has to mend.

    The message names the cure and is all that is shown; the command ends with status 1.
    """


def say(text: str) -> None:
    """Print one line of progress at once, also where the output is a pipe."""
    print(text, flush=True)


def run_main(main: Callable[[list[str]], int]) -> None:
    """Run a command's main function and end the process with an honest status.

    Args:
        main: takes the command-line arguments, returns the exit status.
    """
    try:
        status = main(sys.argv[1:])
    except ToolError as error:
        print(f"\nerror: {error}", file=sys.stderr, flush=True)
        status = 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr, flush=True)
        status = 130
    sys.exit(status)
