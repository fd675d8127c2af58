"""Labels of stars in a table of any format of the field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from torchfit.files.cells import Numbers, Texts
from torchfit.files.table_file import read_columns
from torchfit.surveys.stated_resolution import StatedResolution

MISSING = (-9999.0, -9999.99, -999.0)
"""Numbers that tables of the field write where nothing is known."""
_TEXTS = ("name", "file")
_NUMBERS = ("lsf_fwhm", "resolving_power", "z")


@dataclass(frozen=True)
class StarLabels:
    """What a table says of a star.

    Args:
        name: Name of the star; empty where it is not given.
        file: Its file; empty where it is not given.
        labels: Its labels, those that are known.
        errors: Errors of labels, those that are known.
        resolution: Resolution of its spectrum, where the table says it.
        z: Its redshift, NaN where it is not given.
    """

    name: str
    file: str
    labels: Mapping[str, float]
    errors: Mapping[str, float]
    resolution: StatedResolution = field(default_factory=StatedResolution)
    z: float = float("nan")


@dataclass(frozen=True)
class LabelTable:
    """Which columns of a table are read.

    Args:
        labels: Columns of the labels, by label.
        errors: Columns of their errors, by label.
        columns: Columns of ``name``, ``file``, ``lsf_fwhm``, ``resolving_power``, ``z``, those that
            there are.
    """

    labels: Mapping[str, str]
    errors: Mapping[str, str]
    columns: Mapping[str, str]

    def read(self, path: Path) -> list[StarLabels]:
        """Read all rows.

        Args:
            path: The table.

        Returns:
            One entry per row; values that are missing, not finite or one of :data:`MISSING` are
            left out.

        Raises:
            DataError: If it cannot be read, or lacks a column.
        """
        wanted = {f"label {key}": name for key, name in self.labels.items()}
        wanted |= {f"error of {key}": name for key, name in self.errors.items()} | {**self.columns}
        cells = read_columns(path, {here: [name] for here, name in wanted.items()})
        texts = {key: _texts(key, cells[key]) for key in _TEXTS if key in cells}
        numbers = {key: _numbers(key, cells[key]) for key in cells if key not in _TEXTS}
        n_rows = len(next(iter(cells.values())))
        return [self._star(row, texts, numbers) for row in range(n_rows)]

    def _star(
        self, row: int, texts: Mapping[str, np.ndarray], numbers: Mapping[str, np.ndarray]
    ) -> StarLabels:
        plain = {key: float(numbers[key][row]) for key in _NUMBERS if key in numbers}
        name, file = (str(texts[key][row]) if key in texts else "" for key in _TEXTS)
        return StarLabels(
            name,
            file,
            _known({label: float(numbers[f"label {label}"][row]) for label in self.labels}),
            _known({label: float(numbers[f"error of {label}"][row]) for label in self.errors}),
            _resolution(plain),
            plain.get("z", float("nan")),
        )


def _texts(name: str, cells: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(Texts(name).take(cells), dtype=object)


def _numbers(name: str, cells: pa.ChunkedArray) -> np.ndarray:
    return Numbers(name, MISSING).take(cells)


def _known(values: Mapping[str, float]) -> dict[str, float]:
    return {key: value for key, value in values.items() if np.isfinite(value)}


def _resolution(values: Mapping[str, float]) -> StatedResolution:
    """The first resolution that is a positive number."""
    for key in ("lsf_fwhm", "resolving_power"):
        if 0 < values.get(key, 0.0) < float("inf"):
            return StatedResolution(**{key: values[key]})
    return StatedResolution()
