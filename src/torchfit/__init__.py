"""torchfit: stellar labels of survey spectra from a spectral emulator of real stars.

The public names are those of ``__all__``; everything else may change between releases.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchfit.face.emulator import Emulator as Emulator
    from torchfit.face.fitter import Fitter as Fitter
    from torchfit.face.load import load as load_emulator
    from torchfit.face.models import read_models as read_models
    from torchfit.face.read import read_spectra as read_spectra
    from torchfit.face.result import FitResult as FitResult
    from torchfit.face.spectrum import Spectrum as Spectrum

__version__ = "0.2.0"

__all__ = [
    "Emulator",
    "FitResult",
    "Fitter",
    "Spectrum",
    "__version__",
    "load_emulator",
    "read_models",
    "read_spectra",
]

# MKL sums in an order that depends on where in memory an array happens to lie, unless this
# forbids it before its first sum: the same survey would not give the same bytes.
os.environ.setdefault("MKL_CBWR", "AUTO")

_FACE = {
    "Emulator": ("torchfit.face.emulator", "Emulator"),
    "FitResult": ("torchfit.face.result", "FitResult"),
    "Fitter": ("torchfit.face.fitter", "Fitter"),
    "Spectrum": ("torchfit.face.spectrum", "Spectrum"),
    "load_emulator": ("torchfit.face.load", "load"),
    "read_models": ("torchfit.face.models", "read_models"),
    "read_spectra": ("torchfit.face.read", "read_spectra"),
}
"""Where the public names are; PyTorch takes seconds to import, which a command's help can spare."""


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    if name not in _FACE:
        raise AttributeError(f"module 'torchfit' has no attribute {name!r}")
    module, attribute = _FACE[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
