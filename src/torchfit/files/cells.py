"""Numbers and texts of cells that were written in many ways."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_NOTHING = frozenset(
    ["", "nan", "null", "none", "--", "---", "-", "...", "n/a", "na", "\\n", "<na>", "masked"]
)
"""Words for what is not known, in small letters."""
_EXACT = {pa.float16(): 11, pa.float32(): 24, pa.float64(): 53}
"""Bits to which whole numbers are exact."""
_FLOAT = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_GAIA = re.compile(r"Gaia\s*E?DR(\d)\s+(\d+)", re.IGNORECASE)
_MARKED = r"(?i)^gaia\s|^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$"
_DIGITS = r"^[+-]?\d+$"
_NO_GAIA_DR3 = ("1", "2")


@dataclass
class Numbers:
    """Floats of a column, piece by piece.

    Args:
        name: Name of the column, for what is to be said.
        missing: Numbers that mean that nothing is known.
        decimal_comma: Whether a comma in a number can only be the decimal one.
    """

    name: str
    missing: Sequence[float] = ()
    decimal_comma: bool = False
    n_lost: int = 0
    example: str = ""
    has_commas: bool = False

    def take(self, values: pa.ChunkedArray) -> np.ndarray:
        """Make floats; what is no number, or stands for nothing, becomes NaN.

        Args:
            values: Cells of any type that has a number in it.

        Returns:
            Float64.
        """
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if _is_text(values.type):
            numbers = self._of_text(_plain_texts(values))
        elif pa.types.is_null(values.type):
            numbers = np.full(len(values), np.nan)
        else:
            numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        for value in self.missing:
            numbers = np.where(np.isclose(numbers, value, rtol=1e-6, atol=0.0), np.nan, numbers)
        return numbers

    def remark(self) -> str:
        """How the numbers are written, where it is unusual."""
        return "decimal commas" if self.has_commas else ""

    def notes(self) -> list[str]:
        """What a reader of the table must know."""
        if not self.n_lost:
            return []
        return [f"{self.n_lost} cells of {self.name} are no numbers, such as {self.example!r}"]

    def _of_text(self, texts: pa.Array) -> np.ndarray:
        known = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        try:
            return known.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            return self._of_words(pd.Series(texts.to_pandas(), dtype="str"))

    def _of_words(self, texts: pd.Series) -> np.ndarray:
        """Numbers among texts that are none, or that are written in another way."""
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        odd = np.flatnonzero(np.isnan(numbers) & ~texts.str.lower().isin(_NOTHING).to_numpy())
        if len(odd):
            numbers = numbers.copy()
            numbers[odd] = self._of_odd(texts.iloc[odd])
            self._lose(texts.iloc[odd[np.isnan(numbers[odd])]])
        return numbers

    def _of_odd(self, texts: pd.Series) -> np.ndarray:
        """Numbers with another minus, decimal commas, thousands apart, or Fortran's exponent."""
        plain = texts.str.replace("−", "-").str.replace(r"(?<=\d)[dD](?=[+-]?\d)", "e", regex=True)
        comma, point = plain.str.rfind(","), plain.str.rfind(".")
        grouped = plain.str.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
        one_comma = (plain.str.count(",") == 1) & (point < 0)
        decimal = one_comma & (self.decimal_comma | ~grouped.astype(bool))
        decimal |= (point >= 0) & (comma > point)
        self.has_commas |= bool(decimal.any())
        thousands = grouped.astype(bool) & ~one_comma
        european = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        plain = plain.where(~decimal, european)
        plain = plain.where(~thousands, plain.str.replace(",", "", regex=False))
        return pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float, na_value=np.nan)

    def _lose(self, texts: pd.Series) -> None:
        if len(texts):
            self.n_lost += len(texts)
            self.example = self.example or str(texts.iloc[0])[:40]


@dataclass
class Texts:
    """Identifiers and words of a column, piece by piece.

    Args:
        name: Name of the column, for what is to be said.
    """

    name: str
    n_lost: int = 0
    n_other_release: int = 0

    def remark(self) -> str:
        """How the texts are written: nothing is unusual."""
        return ""

    def take(self, values: pa.ChunkedArray) -> np.ndarray:
        """Make texts without outer blanks.

        A whole number that was made a float has plain digits, unless it is so large that floats
        lose some of them: then it is empty. ``Gaia DR3`` before an identifier is left out, and one
        of another release is empty, as its numbers mean other stars.

        Args:
            values: Cells.

        Returns:
            Strings; empty where there is nothing.
        """
        if pa.types.is_floating(values.type):
            return self._of_floats(values.to_numpy(zero_copy_only=False), _EXACT[values.type])
        texts = _plain_texts(values)
        is_nothing = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted(_NOTHING)))
        texts = pc.if_else(is_nothing, "", texts)
        is_digits = pc.match_substring_regex(texts, _DIGITS)
        is_marked = pc.and_not(pc.match_substring_regex(texts, _MARKED), is_digits)
        plain = texts.to_numpy(zero_copy_only=False)
        for n in np.flatnonzero(is_marked.to_numpy(zero_copy_only=False)):
            plain[n] = self._plain(plain[n])
        return plain

    def notes(self) -> list[str]:
        """What a reader of the table must know."""
        note = []
        if self.n_lost:
            note.append(
                f"{self.n_lost} identifiers in {self.name} were made floats and have lost their "
                "last digits: not used; write them as integers or text"
            )
        if self.n_other_release:
            note.append(
                f"{self.n_other_release} identifiers in {self.name} are of another release of "
                "Gaia than DR3: not used"
            )
        return note

    def _of_floats(self, values: np.ndarray, bits: int) -> np.ndarray:
        values = values.astype(np.float64)
        lost = np.isfinite(values) & (np.abs(values) > 2.0**bits)
        self.n_lost += int(lost.sum())
        known = np.isfinite(values) & ~lost
        texts = np.full(len(values), "", dtype=object)
        texts[known] = [f"{v:.0f}" if v == int(v) else str(v) for v in values[known]]
        return texts

    def _plain(self, text: str) -> str:
        gaia = _GAIA.fullmatch(text)
        if gaia is None and not _FLOAT.fullmatch(text):
            return text
        if gaia is not None:
            is_other = gaia[1] in _NO_GAIA_DR3
            self.n_other_release += is_other
            return "" if is_other else gaia[2]
        value = float(text)
        if value != value // 1:
            return text
        self.n_lost += abs(value) > 2.0**53
        return "" if abs(value) > 2.0**53 else f"{value:.0f}"


def as_numbers(values: pa.ChunkedArray, missing: Sequence[float] = ()) -> np.ndarray:
    """Make floats of a whole column; see :class:`Numbers`."""
    return Numbers("", missing).take(values)


def as_texts(values: pa.ChunkedArray) -> np.ndarray:
    """Make texts of a whole column; see :class:`Texts`."""
    return Texts("").take(values)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()


def _plain_texts(values: pa.ChunkedArray) -> pa.Array:
    """Texts without outer blanks, empty where there is nothing."""
    texts = values.cast(pa.string()).combine_chunks()
    return pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
