"""Imported first by the server of fresh processes: it ends with its parent, even while it imports.

Python's own server looks for its parent only when it has imported everything, which takes seconds
in which a killed program would leave it behind.
"""

import ctypes
import os
import signal
import sys

PARENT = "TORCHFIT_SERVER_OF"
"""Environment variable: number of the process whose server this is."""
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


if PARENT in os.environ:
    end_with(os.environ.pop(PARENT))
