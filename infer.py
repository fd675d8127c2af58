"""Measure a survey: ``python infer.py data=stelib``, the same as ``torchfit infer``."""

import sys

from torchfit.run.programs import run_task

if __name__ == "__main__":
    run_task("infer", sys.argv[1:])
