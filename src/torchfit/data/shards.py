"""Shards: preprocessed spectra and what is known of their stars, in memory-mapped Arrow files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from torchfit.io.atomic import atomic
from torchfit.names import LABELS
from torchfit.spectra import Spectra, StarInfo

BANDS = "ugriz"


def star_row(star: int, info: StarInfo) -> dict[str, object]:
    """What is known of a star, as a row of the catalogue.

    Args:
        star: Running number of the star in the survey.
        info: What its file says.

    Returns:
        Columns ``star source obsid name ra dec subclass z``, ``snr_*`` by band and ``*_lit`` by
        label; NaN where unknown.
    """
    fixed = {
        "star": star,
        "source": info.source,
        "obsid": info.obsid,
        "name": info.name,
        "ra": info.ra,
        "dec": info.dec,
        "subclass": info.subclass,
        "z": info.z,
    }
    snr = {f"snr_{band}": info.snr.get(band, np.nan) for band in BANDS}
    return fixed | snr | {f"{name}_lit": info.labels.get(name, np.nan) for name in LABELS}


def write_shard(path: Path, rows: Sequence[Mapping[str, object]], spectra: Spectra) -> None:
    """Write a shard, atomically; the same stars give the same bytes.

    Flux and inverse variance are kept in single precision: 1e-7 of the continuum, far below the
    noise of any spectrum.

    Args:
        path: File to write.
        rows: One :func:`star_row` per star.
        spectra: The stars' preprocessed spectra.
    """
    table = pa.Table.from_pandas(_typed(rows), preserve_index=False)
    for name, values in (("flux", spectra.flux), ("ivar", spectra.ivar)):
        flat = pa.array(values.float().numpy().reshape(-1))
        column = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        table = table.append_column(name, column)
    table = table.append_column("has_ivar", pa.array(spectra.has_ivar.numpy()))
    with atomic(path) as temp, pa.ipc.new_file(temp, table.schema) as file:
        file.write_table(table)


def _typed(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    # From the rows themselves: beside a missing number pandas would make the others floats.
    obsid = pd.Series([row["obsid"] for row in rows], dtype="Int64")
    return pd.DataFrame(list(rows)).assign(obsid=obsid)


class Shard:
    """A shard mapped to memory.

    Args:
        path: File written by :func:`write_shard`.
    """

    def __init__(self, path: Path) -> None:
        with pa.memory_map(str(path)) as source:
            self._table = pa.ipc.open_file(source).read_all().combine_chunks()

    def __len__(self) -> int:
        """Number of stars."""
        return self._table.num_rows

    def info(self) -> pd.DataFrame:
        """What is known of the stars: the columns of :func:`star_row`."""
        names = [n for n in self._table.column_names if n not in ("flux", "ivar", "has_ivar")]
        return self._table.select(names).to_pandas()

    def spectra(self, wave: torch.Tensor, rows: Sequence[int] | np.ndarray) -> Spectra:
        """Spectra of some stars.

        Args:
            wave: The grid of the shard, vacuum Angstrom.
            rows: Rows of the stars.

        Returns:
            Normalised spectra, float64.
        """
        index = np.asarray(rows)
        flux, ivar = (self._matrix(name)[index] for name in ("flux", "ivar"))
        has_ivar = self._table["has_ivar"].to_numpy()[index]
        return Spectra(
            wave, torch.from_numpy(flux).double(), torch.from_numpy(ivar).double(),
            torch.from_numpy(has_ivar),
        )  # fmt: skip

    def _matrix(self, name: str) -> np.ndarray:
        chunk = self._table[name].chunk(0)
        return chunk.flatten().to_numpy(zero_copy_only=True).reshape(len(chunk), -1)
