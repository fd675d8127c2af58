"""torchfit: stellar labels of survey spectra from a spectral emulator of real stars."""

__version__ = "0.1.0"
