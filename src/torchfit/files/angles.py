"""Angles of cells that were written in many ways."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from torchfit.files.cells import Numbers

_ANGLE = r"^([+-])?(\d+)\s*[:hd°\s]\s*(\d+)\s*[:m'′\s]\s*(\d+(?:\.\d*)?)\s*(?:s|\"|″|'')?$"


@dataclass
class Angles(Numbers):
    """Right ascensions or declinations of a column, in degrees or sexagesimal.

    Args:
        unit: Unit of the column; empty if it has none.
        hours: Whether sexagesimal angles are in hours, as right ascensions are unless the unit or
            a number from 24 on says degrees.
    """

    unit: str = ""
    hours: bool = False
    n_sexagesimal: int = 0
    sexagesimal: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Which of the angles taken last are sexagesimal, and so in the unit of their first number."""

    def take(self, values: pa.ChunkedArray) -> np.ndarray:
        """Make floats, and :attr:`sexagesimal`."""
        self.sexagesimal = np.zeros(len(values), dtype=bool)
        return super().take(values)

    def degrees(self, angles: np.ndarray, sexagesimal: np.ndarray) -> np.ndarray:
        """Bring all angles of the column to degrees.

        Args:
            angles: What :meth:`take` has given.
            sexagesimal: Which of them are sexagesimal.

        Returns:
            Degrees.
        """
        in_hours = self.hours and not self.unit.lower().startswith("d")
        largest = np.max(np.abs(angles[sexagesimal]), initial=0.0)
        factor = 15.0 if in_hours and largest < 24 else 1.0
        return angles * np.where(sexagesimal, factor, self._factor())

    def remark(self) -> str:
        """How the angles are written, where it is unusual."""
        unit = self.unit if self._factor() != 1.0 else ""
        return "sexagesimal" if self.n_sexagesimal else unit or super().remark()

    def _of_words(self, texts: pd.Series) -> np.ndarray:
        parts = texts.str.replace("−", "-").str.extract(_ANGLE)
        found = parts[1].notna().to_numpy()
        numbers = super()._of_words(texts.where(~found, ""))
        if found.any():
            fields = parts.iloc[found][[1, 2, 3]].astype(float).to_numpy()
            sign = np.where(parts.iloc[found][0] == "-", -1.0, 1.0)
            numbers = numbers.copy()
            numbers[found] = sign * (fields @ [1.0, 1 / 60, 1 / 3600])
        self.n_sexagesimal += int(found.sum())
        self.sexagesimal = found
        return numbers

    def _factor(self) -> float:
        """Degrees of the unit of decimal angles."""
        unit = self.unit.strip().lower()
        units = {"h": 15.0, "hr": 15.0, "hour": 15.0, "hours": 15.0, "hourangle": 15.0}
        return {**units, "rad": np.degrees(1.0), "arcsec": 1 / 3600, "mas": 1 / 3.6e6}.get(
            unit, 1.0
        )
