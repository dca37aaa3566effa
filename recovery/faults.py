"""Named fault points: where a test may kill a process to see what survives.

Standard library only, since both environments import it. In a normal run the environment
variable is absent and `reach` costs one dictionary look-up.
"""

import os
import signal
from collections import Counter
from pathlib import Path

_reached: Counter[str] = Counter()


def reach(name: str) -> None:
    """Die by SIGKILL when `HUIXIN_FAULT` names this point.

    Args:
        name: The fault point. `HUIXIN_FAULT=name` dies at the first time, `name:3` at the third.
            `HUIXIN_FAULT=@path` reads what to do from a file, once there is one, and takes the
            file away as it dies: so a test can choose the moment in a process that runs already.
    """
    wanted = os.environ.get("HUIXIN_FAULT")
    if not wanted:
        return
    file = Path(wanted[1:]) if wanted.startswith("@") else None
    if file is not None:
        try:
            wanted = file.read_text("ascii")
        except FileNotFoundError:
            return
    point, _, nth = wanted.partition(":")
    if point != name:
        return
    _reached[wanted] += 1
    if _reached[wanted] == int(nth or 1):
        if file is not None:
            file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
