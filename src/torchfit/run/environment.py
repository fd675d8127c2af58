"""Environments that other programs stumble over: no home, and empty variables of a cluster."""

import os
import tempfile
from pathlib import Path

_RANKS = ("SLURM_", "LOCAL_RANK", "NODE_RANK", "RANK", "WORLD_SIZE", "MASTER_")
"""How the variables begin that PyTorch and Lightning read as numbers."""


def mend_environment() -> None:
    """Give this process a home where there is none, and take away variables without a value.

    In containers and on clusters a user may have no name and no home; astropy, Matplotlib and
    PyTorch ask for both when they are imported. The home is then the cache of downloads, or the
    folder of temporary files.
    """
    for name in [name for name in os.environ if name.startswith(_RANKS)]:
        if not os.environ[name].strip():
            del os.environ[name]
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.environ.get("TORCHFIT_CACHE") or tempfile.gettempdir()
        os.environ.setdefault("USER", f"user{os.getuid()}")
