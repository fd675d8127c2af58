"""``python -m torchfit PROGRAM ...``: the same as ``torchfit PROGRAM ...``."""

from torchfit.run.main import main

if __name__ == "__main__":
    main()
