"""Writes LAMOST files, byte by byte as the survey lays them out, with mock stars in them.

astropy cannot write the layout since release 9: it drops NAXIS1 and NAXIS2 from the header of a
unit without data.
"""

import gzip
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from scipy.ndimage import uniform_filter1d
from tqdm import tqdm

from torchfit.exceptions import OutputError
from torchfit.mock.lamost import LamostObject, MockLamostReader
from torchfit.mock.lamost_cards import header, iso_date, object_values
from torchfit.mock.lamost_catalogue import lamost_catalogues

_UNIT = 2880
_NORMALISED = (3801.0, 8900.0)
_WINDOW = 401
_MISSING = -9999.0
_COMPRESSION = 1


def table_file(made: LamostObject) -> bytes:
    """A file in the layout since release 9: an empty unit, and a table of one row.

    Args:
        made: The object.
    """
    n_pix = len(made.wave)
    sizes = {f"TFORM{column}": f"{n_pix}E" for column in range(1, 7)}
    rows = [made.flux, made.ivar, made.wave, made.andmask, made.ormask, normalisation(made)]
    primary = header("lamost_table", object_values(made))
    return primary + header("lamost_coadd", {"NAXIS1": 24 * n_pix, **sizes}) + _data(rows)


def image_file(made: LamostObject) -> bytes:
    """A file in the layout of releases 2-8: an image of five rows.

    Args:
        made: The object.
    """
    rows = [made.flux, made.ivar, made.wave, made.andmask, made.ormask]
    return header("lamost_image", object_values(made)) + _data(rows)


LAYOUTS: dict[str, Callable[[LamostObject], bytes]] = {"table": table_file, "image": image_file}


def _data(rows: list[np.ndarray]) -> bytes:
    """A data unit of big-endian single precision, filled with zeros to a multiple of 2880."""
    data = np.concatenate(rows).astype(">f4").tobytes()
    return data + b"\0" * (-len(data) % _UNIT)


def normalisation(made: LamostObject) -> np.ndarray:
    """Flux over a running mean between 3801 and 8900 Angstrom, 1 outside; -9999 without one.

    Args:
        made: The object.
    """
    if not made.is_normalised:
        return np.full(len(made.wave), _MISSING, dtype=np.float32)
    continuum = uniform_filter1d(made.flux, _WINDOW)
    inside = (made.wave > _NORMALISED[0]) & (made.wave < _NORMALISED[1]) & (continuum > 0)
    return np.divide(made.flux, continuum, out=np.ones_like(made.flux), where=inside)


def file_path(made: LamostObject) -> PurePosixPath:
    """Path of a file in the tree of the survey: ``20111112/PLAN/spec-55877-PLAN_sp09-013.fits.gz``.

    Args:
        made: The object.
    """
    night = iso_date(made.lmjd).replace("-", "")
    return PurePosixPath(night, made.plan_id, f"{made.file_stem}.fits.gz")


def write_lamost(folder: Path, reader: MockLamostReader, layout: str = "table") -> list[str]:
    """Write every spectrum of a mock survey as a file, and the catalogues of the survey.

    Args:
        folder: Where to; the catalogues come last.
        reader: The survey.
        layout: ``table`` as since release 9, or ``image`` as before.

    Returns:
        Paths of the spectra below ``folder``, in the order of the reader's sources.

    Raises:
        OutputError: If the system refuses a write.
        ConfigError: If the survey is empty.
    """
    to_bytes, paths = LAYOUTS[layout], []
    sources = tqdm(reader.sources(), desc="writing mock LAMOST files", unit="star")
    with lamost_catalogues(folder) as add_to_catalogues:
        for source in sources:
            made = reader.lamost_object(source)
            path = file_path(made)
            _write(folder / path, gzip.compress(to_bytes(made), _COMPRESSION, mtime=0))
            add_to_catalogues(made)
            paths.append(str(path))
    return paths


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error})") from error
