"""Train an emulator: ``python train.py emulator=miles``, the same as ``torchfit train``."""

import sys

from torchfit.run.programs import run_task

if __name__ == "__main__":
    run_task("train", sys.argv[1:])
