"""Make the figures of the paper: ``python reproduce.py``, the same as ``torchfit reproduce``."""

import sys

from torchfit.run.programs import run_task

if __name__ == "__main__":
    run_task("reproduce", sys.argv[1:])
