"""Measure a survey: ``python infer.py data=stelib``, the same as ``torchfit infer``."""

import sys

from torchfit.run.start import start_task

if __name__ == "__main__":
    start_task("infer", sys.argv[1:])
