"""Which columns the table of a library of one's own has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.table_file import open_tables
from torchfit.surveys.table import ARRAYS, WIDTHS

DEFAULT = {name: name for name in ("name", "wave", "flux", "ivar", "lsf_fwhm")}
OPTIONAL = ("ivar", "lsf_fwhm")
"""Columns that are read under their own names where the table has them."""
KNOWN = frozenset({"name", "file", "z", *ARRAYS})


def table_at(path: Path) -> Path:
    """The table of a library.

    Args:
        path: The table, or a folder with one table ``library.*`` in it.

    Raises:
        DataError: If a folder holds none of the name, or several.
    """
    if not path.is_dir():
        return path
    found = sorted(path.glob("library.*"))
    if len(found) != 1:
        names = ", ".join(each.name for each in found) or "none"
        raise DataError(f"{path} must hold one table library.*; it holds {names}")
    return found[0]


@dataclass(frozen=True)
class LibraryColumns:
    """Columns by what they hold.

    Args:
        names: Their names.

    Raises:
        ConfigError: If no spectrum is named, or a column that nothing is known of.
    """

    names: Mapping[str, str]

    def __post_init__(self) -> None:
        if unknown := self.names.keys() - KNOWN:
            raise ConfigError(
                f"library.reader.columns: no {', '.join(sorted(unknown))}; use "
                f"{', '.join(sorted(KNOWN))}"
            )
        if not self.in_files and not {"wave", "flux"} <= self.names.keys():
            raise ConfigError("library.reader.columns must name file, or wave and flux")

    @property
    def in_files(self) -> bool:
        """Whether the spectra lie in files."""
        return "file" in self.names

    def there(self, path: Path, states_resolution: bool) -> dict[str, str]:
        """The columns that a table has, or must have.

        Args:
            path: The table.
            states_resolution: Whether the resolution is stated beside the table.

        Returns:
            Names by what they hold, without the optional ones that are not there.

        Raises:
            DataError: If the table cannot be read.
            ConfigError: If the resolution is stated twice.
        """
        names = {name.lower() for table in open_tables(path) for name in table.names}
        absent = {key for key in OPTIONAL if self.names.get(key) == key and key not in names}
        there = {key: name for key, name in self.names.items() if key not in absent}
        if states_resolution and (twice := there.keys() & set(WIDTHS)):
            raise ConfigError(
                f"library.reader.resolution and the column {there[twice.pop()]} both state it"
            )
        return there
