"""Finish a catalogue once more: ``python validate.py results=FOLDER``, ``torchfit validate``."""

import sys

from torchfit.run.programs import run_task

if __name__ == "__main__":
    run_task("validate", sys.argv[1:])
