"""Named fault points: where a test may kill a process to see what survives.

Standard library only, since both environments import it. In a normal run the environment
variable is absent and `reach` costs one dictionary look-up.
"""

import os
import signal
from collections import Counter

_reached: Counter[str] = Counter()


def reach(name: str) -> None:
    """Die by SIGKILL when `HUIXIN_FAULT` names this point.

    Args:
        name: The fault point. `HUIXIN_FAULT=name` dies at the first time, `name:3` at the third.
    """
    wanted = os.environ.get("HUIXIN_FAULT")
    if not wanted:
        return
    point, _, nth = wanted.partition(":")
    if point != name:
        return
    _reached[name] += 1
    if _reached[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
