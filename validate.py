"""Join, flag, compare a catalogue: ``python validate.py results=outputs/infer/stelib``; the same as ``torchfit validate``."""

import sys

from torchfit.run.programs import run_task

if __name__ == "__main__":
    run_task("validate", sys.argv[1:])
