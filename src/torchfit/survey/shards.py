"""Shards: preprocessed spectra and what is known of their stars, in memory-mapped Arrow files."""

import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from jaxtyping import Int

from torchfit.files.atomic import atomic
from torchfit.files.file_name import printable
from torchfit.names import LABELS
from torchfit.spectra import Spectra, StarInfo
from torchfit.survey.coding import Coded

BANDS = "ugriz"
FIXED = (
    "source", "obsid", "name", "uid", "gaia_source_id", "ra", "dec", "ra_obs", "dec_obs", "mjd",
    "subclass", "z", "z_err", "sum_ormask", "n_bad",
)  # fmt: skip
"""What is known of every star, in the words of :class:`~torchfit.spectra.StarInfo`."""
VELOCITY = ("v_ccf", "e_v_ccf", "ccf_ratio")
"""What :class:`~torchfit.velocity.search.Velocities` knows of a star, where it was measured."""
_TEXTS = ("source", "name", "uid", "gaia_source_id", "subclass")
_WHOLE = ("obsid", "mjd", "sum_ormask", "n_bad", "checksum")
_PIXELS, _OF_STAR = ("depth", "code"), ("low", "step", "has_ivar")
_INTERNAL = (*_PIXELS, *_OF_STAR, "checksum")


def star_row(
    star: int, info: StarInfo, velocity: Mapping[str, float] = MappingProxyType({})
) -> dict[str, object]:
    """What is known of a star, as a row of the catalogue.

    Args:
        star: Running number of the star in the survey.
        info: What its file says.
        velocity: What was measured, by the names of :data:`VELOCITY`.

    Returns:
        Columns of the catalogue: those of :data:`FIXED` and :data:`VELOCITY`, ``snr_*`` by band and
        ``*_lit`` by label; missing where unknown. And the ``checksum`` of the file.
    """
    fixed = {name: getattr(info, name) for name in FIXED}
    fixed |= {name: printable(fixed[name]) for name in _TEXTS}
    others = [name for name in info.labels if name not in LABELS]
    snr = {f"snr_{band}": info.snr.get(band, np.nan) for band in BANDS}
    return (
        {"star": star, "checksum": info.checksum}
        | fixed
        | {name: velocity.get(name, np.nan) for name in VELOCITY}
        | snr
        | {f"{name}_lit": info.labels.get(name, np.nan) for name in (*LABELS, *others)}
    )


def shard_table(rows: Sequence[Mapping[str, object]], spectra: Spectra) -> pa.Table:
    """Stars as the table of a shard.

    The spectra are kept as :class:`~torchfit.survey.coding.Coded`, three bytes a pixel.

    Args:
        rows: One :func:`star_row` per star.
        spectra: The stars' preprocessed spectra.
    """
    return with_spectra(pa.Table.from_pandas(_typed(rows), preserve_index=False), spectra)


def with_spectra(table: pa.Table, spectra: Spectra) -> pa.Table:
    """What is known of stars, with their spectra, as the table of a shard.

    Args:
        table: Columns of :func:`star_row`.
        spectra: The stars' preprocessed spectra.
    """
    coded = Coded.of(spectra)
    for name in _PIXELS:
        values = getattr(coded, name)
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
        table = table.append_column(name, column)
    for name in _OF_STAR:
        table = table.append_column(name, pa.array(getattr(coded, name)))
    return table


def write_shard(path: Path, table: pa.Table) -> None:
    """Write a shard, atomically; the same stars give the same bytes.

    Args:
        path: File to write.
        table: The stars, a :func:`shard_table`.
    """
    with atomic(path) as temp, pa.ipc.new_file(temp, table.schema) as file:
        file.write_table(table.combine_chunks())


def _typed(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    # From the rows themselves: beside a missing number pandas would make the others floats.
    whole = {name: pd.Series([row[name] for row in rows], dtype="Int64") for name in _WHOLE}
    return pd.DataFrame(list(rows)).assign(**whole)


class Shard:
    """A shard mapped to memory.

    Args:
        path: File written by :func:`write_shard`.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        source = pa.BufferReader(pa.py_buffer(self._map))
        self._table = pa.ipc.open_file(source).read_all().combine_chunks()
        self._known = self._table.drop_columns(list(_INTERNAL))

    def __len__(self) -> int:
        """Number of stars."""
        return self._table.num_rows

    def info(self, rows: Sequence[int] | np.ndarray | None = None) -> pd.DataFrame:
        """What is known of the stars: the columns of :func:`star_row`.

        Args:
            rows: Rows of the stars; all of them if ``None``.
        """
        return self.known(rows).to_pandas()

    def known(
        self,
        rows: Sequence[int] | np.ndarray | None = None,
        names: Sequence[str] | None = None,
    ) -> pa.Table:
        """What :meth:`info` tells, whole numbers that are missing among them.

        Args:
            rows: Rows of the stars; all of them if ``None``.
            names: Columns that are wanted; all of them if ``None``.
        """
        known = self._known if names is None else self._table.select(list(names))
        if rows is None:
            return known
        taken = known.take(pa.array(rows, pa.int64()))
        self.forget_pages()
        return taken

    def known_of(self, row: int) -> pa.Table:
        """What is known of one star, as it lies in the file."""
        return self._known.slice(row, 1)

    def whole(self, name: str, missing: int) -> Int[np.ndarray, " star"]:
        """A column of whole numbers.

        Args:
            name: Column of whole numbers of :func:`star_row`.
            missing: What stands for a missing number.
        """
        return self._table[name].fill_null(missing).to_numpy()

    def spectra(self, wave: torch.Tensor, rows: Sequence[int] | np.ndarray) -> Spectra:
        """Spectra of some stars.

        Args:
            wave: The grid of the shard, vacuum Angstrom.
            rows: Rows of the stars.

        Returns:
            Normalised spectra, in single precision.
        """
        return self.coded(rows).spectra(wave)

    def coded(self, rows: Sequence[int] | np.ndarray) -> Coded:
        """Spectra of some stars, as they lie on disk.

        Args:
            rows: Rows of the stars.

        Returns:
            Coded spectra.
        """
        index = np.asarray(rows)
        pixels = [self._matrix(name)[index] for name in _PIXELS]
        coded = Coded(*pixels, *(self._table[name].to_numpy()[index] for name in _OF_STAR))
        self.forget_pages()
        return coded

    def forget_pages(self) -> None:
        """Let go of the pages that were read: all of them count as this process's memory."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def _matrix(self, name: str) -> np.ndarray:
        chunk = self._table[name].chunk(0)
        return chunk.flatten().to_numpy(zero_copy_only=True).reshape(len(chunk), -1)
