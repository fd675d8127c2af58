"""Emulators by folder or by name."""

import subprocess
import sys
from pathlib import Path

from torchfit import __version__
from torchfit.emulator.artefact import DESCRIPTION, load_emulator
from torchfit.exceptions import ArtefactError
from torchfit.face.emulator import Emulator
from torchfit.files.fetch import default_cache
from torchfit.run.programs import conf_folder
from torchfit.uncertainty.library_errors import LibraryErrors


def load(emulator: str | Path = "miles") -> Emulator:
    """Load an emulator.

    Args:
        emulator: Folder that ``torchfit train`` has written (``outputs/train/miles/emulator``); or
            the name of a preset (``miles``), which is trained at its first use and kept in the
            cache (``$TORCHFIT_CACHE``).

    Returns:
        The emulator.

    Raises:
        ArtefactError: If there is no such folder or preset, or it is damaged.

    Examples:
        >>> import torchfit as tf
        >>> emulator = tf.load_emulator("miles")
        >>> emulator.label_names
        ('teff', 'logg', 'fe_h')
    """
    folder = Path(emulator).expanduser()
    if (folder / DESCRIPTION).is_file():
        return Emulator(load_emulator(folder), LibraryErrors.load(folder))
    known = sorted(path.stem for path in (conf_folder() / "emulator").glob("*.yaml"))
    if str(emulator) not in known:
        raise ArtefactError(
            f"no emulator in {folder}; give a folder that `torchfit train` has written, or one of "
            f"{', '.join(known)}"
        )
    return load(_trained(str(emulator)))


def _trained(name: str) -> Path:
    """The artefact of a preset in the cache, made if it is not there.

    A process of its own: Hydra, seeds and log of a notebook stay as they are.
    """
    folder = default_cache() / "emulators" / f"{name}-{__version__}"
    artefact = folder / "emulator"
    if (artefact / DESCRIPTION).is_file():
        return artefact
    folder.mkdir(parents=True, exist_ok=True)
    quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
    program = [sys.executable, "-m", "torchfit", "train", f"emulator={name}"]
    ended = subprocess.run([*program, f"hydra.run.dir='{quoted}'"], cwd=folder)
    if ended.returncode:
        raise ArtefactError(
            f"the emulator {name} could not be trained: see the lines above, or try "
            f"`torchfit train emulator={name}`"
        )
    return artefact
