"""Make the figures of the paper: ``python reproduce.py``, the same as ``torchfit reproduce``."""

import sys

from torchfit.run.start import start_task

if __name__ == "__main__":
    start_task("reproduce", sys.argv[1:])
