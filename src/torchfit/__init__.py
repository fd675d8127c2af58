"""torchfit: stellar labels of survey spectra from a spectral emulator of real stars."""

import os

__version__ = "0.1.0"

# MKL sums in an order that depends on where in memory an array happens to lie, unless it is told
# not to before its first sum: the same survey would not give the same bytes.
os.environ.setdefault("MKL_CBWR", "AUTO")
