"""What reads observed spectra with their models."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Int64

from torchfit.exceptions import DataError
from torchfit.files.fits_astropy import open_fits
from torchfit.files.model_spectra import PIXELS, ModelSpectra
from torchfit.files.model_writers import WRITERS
from torchfit.files.table_file import one_clear_error

_NAMES = ("star", "source", *PIXELS)


def read_models(path: Path, stars: Sequence[int] | np.ndarray | None = None) -> ModelSpectra:
    """Read parts.

    Args:
        path: A part, or a folder of them.
        stars: Running numbers of the wanted stars; all of them if ``None``.

    Returns:
        The stars in the order of the files.

    Raises:
        DataError: If there is no such file, it is damaged or none of these, or a star is missing.
    """
    wanted = None if stars is None else np.unique(np.asarray(stars, dtype=np.int64))
    parts = [part for file in model_files(path) for part in _read(file, wanted)]
    found = np.concatenate([np.empty(0, np.int64), *(part.star for part in parts)])
    missing = np.setdiff1d(wanted, found) if wanted is not None else found[:0]
    if not len(found) or missing.size:
        named = ", ".join(map(str, missing[:5]))
        raise DataError(f"{path} has no star{f' {named}' if named else ''}")
    return ModelSpectra.join(parts)


def stars_of(path: Path) -> Int64[np.ndarray, " star"]:
    """Running numbers of the stars of a part, without reading their spectra.

    Args:
        path: The part.

    Raises:
        DataError: If it is damaged or none of these.
    """
    with one_clear_error(path):
        if _is_parquet(path):
            with pq.ParquetFile(path) as file:
                return file.read(["star"])["star"].to_numpy()
        with open_fits(path) as units:
            return units["SPECTRA"].data["STAR"].astype(np.int64)


def model_files(path: Path) -> list[Path]:
    """The parts of a folder, sorted; a file is one.

    Args:
        path: A part, or a folder of parts of one format.

    Raises:
        DataError: If there is none.
    """
    if path.is_file():
        return [path]
    for format in WRITERS:
        if files := sorted(path.glob(f"part-*.{format}")):
            return files
    raise DataError(f"no model spectra in {path}: `torchfit infer 'products=[models]'` writes them")


def is_models(path: Path) -> bool:
    """Whether a file is a part, by its columns.

    Args:
        path: A file.
    """
    try:
        with one_clear_error(path):
            if _is_parquet(path):
                return set(_NAMES) <= set(pq.read_schema(path).names)
            with open_fits(path) as units:
                return "SPECTRA" in units and {name.upper() for name in _NAMES} <= set(
                    units["SPECTRA"].columns.names
                )
    except DataError:
        return False


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _read(path: Path, wanted: np.ndarray | None) -> Iterator[ModelSpectra]:
    """Pieces of a part, the wanted stars of it."""
    with one_clear_error(path):
        yield from (_read_parquet if _is_parquet(path) else _read_fits)(path, wanted)


def _read_parquet(path: Path, wanted: np.ndarray | None) -> Iterator[ModelSpectra]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        metadata = file.schema_arrow.metadata or {}
        if not {b"wave", b"lsf_fwhm"} <= metadata.keys():
            raise DataError(f"{path} holds no model spectra")
        wave, fwhm = (
            np.array(json.loads(metadata[key]), dtype=np.float64) for key in (b"wave", b"lsf_fwhm")
        )
        for group in range(file.num_row_groups):
            star = file.read_row_group(group, ["star"])["star"].to_numpy()
            rows = _places(star, wanted)
            if not len(rows):
                continue
            table = file.read_row_group(group, list(_NAMES)).take(rows)
            arrays = {
                name: table[name].combine_chunks().flatten().to_numpy().reshape(-1, len(wave))
                for name in PIXELS
            }
            yield ModelSpectra(wave, fwhm, star[rows], table["source"].to_pylist(), **arrays)


def _read_fits(path: Path, wanted: np.ndarray | None) -> Iterator[ModelSpectra]:
    with open_fits(path) as units:
        rows = units["SPECTRA"].data
        star = rows["STAR"].astype(np.int64)
        places = _places(star, wanted)
        arrays = {
            name: rows[name.upper()][places].astype("u1" if name == "mask" else "f4")
            for name in PIXELS
        }
        wave, fwhm = (units[name].data.astype(np.float64) for name in ("WAVE", "LSF_FWHM"))
        yield ModelSpectra(wave, fwhm, star[places], rows["SOURCE"][places].tolist(), **arrays)


def _places(star: np.ndarray, wanted: np.ndarray | None) -> np.ndarray:
    chosen = np.ones(len(star), bool) if wanted is None else np.isin(star, wanted)
    return np.flatnonzero(chosen)
