"""Finish a catalogue once more: ``python validate.py results=FOLDER``, ``torchfit validate``."""

import sys

from torchfit.run.start import start_task

if __name__ == "__main__":
    start_task("validate", sys.argv[1:])
