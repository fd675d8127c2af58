"""Train an emulator: ``python train.py emulator=miles``, the same as ``torchfit train``."""

import sys

from torchfit.run.start import start_task

if __name__ == "__main__":
    start_task("train", sys.argv[1:])
