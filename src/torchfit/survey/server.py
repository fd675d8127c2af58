"""Imported first by the server of fresh processes: it ends with its parent, even while it imports.

Python's own server looks for its parent only when it has imported everything, which takes seconds
in which a killed program would leave it behind.
"""

import ctypes
import os
import signal
import sys
import time
from types import TracebackType

PARENT = "TORCHFIT_SERVER_OF"
"""Environment variable: number of the process whose server this is."""
PATIENCE = 5.0
"""Seconds in which a program whose end cuts off a child that is being started should have ended."""
_PR_SET_PDEATHSIG = 1


def end_with(parent: str) -> None:
    """Let Linux kill this process when its parent ends.

    Args:
        parent: Number of the parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent != str(os.getppid()):
            os._exit(1)


def quieten_cut_off() -> None:
    """Let children that the end of the program cuts off as they are started say nothing.

    Python reports that what it was to read is truncated, or a semaphore is missing: consequences
    of the program's end, which the program has reported in its own words.
    """
    server = os.getpid()

    def report(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        """Report as Python does, unless the server has gone meanwhile."""
        until = time.monotonic() + PATIENCE
        while os.getppid() == server and time.monotonic() < until:
            time.sleep(0.05)
        if server in (os.getpid(), os.getppid()):
            sys.__excepthook__(kind, error, at)

    sys.excepthook = report


if PARENT in os.environ:
    quieten_cut_off()
    end_with(os.environ.pop(PARENT))
