"""What a user wants written: formats, and a recommended sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torchfit.catalogue.csv_file import write_csv
from torchfit.catalogue.dataset_folder import write_dataset
from torchfit.catalogue.fits_file import write_fits
from torchfit.catalogue.hats_folder import demand_hats, write_hats
from torchfit.catalogue.parquet_file import write_parquet
from torchfit.catalogue.recommended import Recommendation
from torchfit.catalogue.schema import Column
from torchfit.catalogue.votable_file import write_votable
from torchfit.catalogue.write import Writer
from torchfit.exceptions import ConfigError
from torchfit.files.table_pieces import Table

ENDINGS = {
    "parquet": ".parquet",
    "fits": ".fits",
    "csv": ".csv",
    "votable": ".vot",
    "dataset": "_dataset",
    "hats": "_hats",
}
"""Formats with the ending of their files; the last two are folders."""

_PARTING = ("spectral_class", "subclass", "mjd", "group", "stop")


@dataclass(frozen=True)
class Product:
    """What is written.

    Args:
        formats: Names from :data:`ENDINGS`, Parquet among them.
        partition: Column that parts a ``dataset``.
        recommended: Which stars are recommended; ``None`` for no such sample.

    Raises:
        ConfigError: If a format is unknown, or the column has too many values.
    """

    formats: Sequence[str] = ("parquet", "fits", "csv")
    partition: str = "spectral_class"
    recommended: Recommendation | None = None

    def __post_init__(self) -> None:
        if "parquet" not in self.formats or not set(self.formats) <= set(ENDINGS):
            raise ConfigError(
                f"catalogue.formats={list(self.formats)} must hold parquet, and may hold "
                f"{', '.join(ENDINGS)}"
            )
        if self.partition not in _PARTING:
            raise ConfigError(
                f"catalogue.partition={self.partition}: use one of {', '.join(_PARTING)}"
            )

    def check(self) -> None:
        """Look for what the formats need beside torchfit.

        Raises:
            CatalogueError: If a package is not there.
        """
        if "hats" in self.formats:
            demand_hats()

    def writers(
        self,
        name: str,
        table: Table,
        schema: Sequence[Column],
        provenance: Mapping[str, str],
    ) -> dict[str, Writer]:
        """What writes a table in every format, by file name; the same input gives the same bytes.

        Args:
            name: Name of the files without ending.
            table: Rows in the columns and types of the schema.
            schema: The columns.
            provenance: How the table came about.

        Returns:
            Writers; that of the Parquet file is the last.
        """
        given: dict[str, Any] = {"table": table, "schema": schema, "provenance": provenance}
        every: dict[str, Writer] = {
            "hats": partial(write_hats, **given),
            "dataset": partial(write_dataset, **given, column=self.partition),
            "votable": partial(write_votable, **given),
            "csv": partial(write_csv, table=table),
            "fits": partial(write_fits, **given),
            "parquet": partial(write_parquet, **given),
        }
        return {f"{name}{ENDINGS[kind]}": every[kind] for kind in every if kind in self.formats}
