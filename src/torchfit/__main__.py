"""``python -m torchfit PROGRAM ...``: the same as ``torchfit PROGRAM ...``."""

from torchfit.run.start import start_command

if __name__ == "__main__":
    start_command()
