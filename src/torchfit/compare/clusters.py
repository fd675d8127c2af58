"""Members of open clusters: one metallicity each, and an isochrone to lie on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from torchfit.crossmatch.external import ExternalCatalogue
from torchfit.crossmatch.join import Line
from torchfit.exceptions import ConfigError
from torchfit.files.cells import as_numbers
from torchfit.files.table_file import find_columns, read_columns

CLUSTER = "cluster"

_ISOCHRONE = {"teff": ("Teff", "teff", "TEFF"), "log_teff": ("logTe", "log_Teff", "logT")}
_GRAVITY = {"logg": ("logg", "log_g", "LOGG")}


@dataclass(frozen=True)
class ClusterComparison:
    """Members found among our stars.

    Args:
        cluster: Name of the cluster of every star; empty for a star of none.
        fe_h: Published [Fe/H] of its cluster, NaN where there is none.
        isochrones: Temperature in K and gravity in dex along a line, by plain name of a cluster.
        line: What was joined, and how.
    """

    cluster: np.ndarray
    fe_h: Float[np.ndarray, " star"]
    isochrones: Mapping[str, Float[np.ndarray, "point 2"]]
    line: Line

    def isochrone(self, cluster: str) -> Float[np.ndarray, "point 2"] | None:
        """The isochrone of a cluster; ``None`` if there is none."""
        return self.isochrones.get(plain_name(cluster))


@dataclass(frozen=True)
class Clusters(ExternalCatalogue):
    """A table of members.

    Args:
        isochrones: Table of temperature (``Teff`` in K, or ``logTe``) and ``logg`` by cluster, as
            the PARSEC and MIST pages give them; a cluster may be spelt with blanks or without.

    Raises:
        ConfigError: If the names of the clusters are not read.
    """

    isochrones: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if CLUSTER not in self.table.texts or set(self.columns) != {CLUSTER, "fe_h"}:
            raise ConfigError("compare: clusters need the columns cluster and fe_h")

    def check(self) -> None:
        """Look for the table and the isochrones.

        Raises:
            DataError: If one is missing, or lacks a column.
        """
        super().check()
        for path in self.isochrones.values():
            read_isochrone(Path(path).expanduser())

    def compare(self, stars: pd.DataFrame) -> ClusterComparison:
        """Find the members among our stars.

        Args:
            stars: Our catalogue.

        Returns:
            The members, with the isochrones.

        Raises:
            DataError: If a table cannot be read.
        """
        join = self.join(stars)
        lines = {
            plain_name(name): read_isochrone(Path(path).expanduser())
            for name, path in self.isochrones.items()
        }
        return ClusterComparison(
            join.columns[CLUSTER].to_numpy(dtype=object),
            join.columns["fe_h"].to_numpy(dtype=float),
            lines,
            {"catalogue": CLUSTER, **join.line},
        )


def plain_name(cluster: str) -> str:
    """Name of a cluster as all spell it: capital letters, no blanks or underscores."""
    return cluster.upper().replace(" ", "").replace("_", "")


def read_isochrone(path: Path) -> Float[np.ndarray, "point 2"]:
    """Read temperature in K and gravity in dex along an isochrone.

    Args:
        path: A table; the header may be the last line of comments.

    Returns:
        The points in the order of the file.

    Raises:
        DataError: If it cannot be read, or has no temperature or gravity.
    """
    logarithmic = "log_teff" in find_columns(path, _ISOCHRONE, tuple(_ISOCHRONE)).places
    wanted: dict[str, Sequence[str]] = {
        "teff": _ISOCHRONE["log_teff" if logarithmic else "teff"],
        **_GRAVITY,
    }
    found = read_columns(path, wanted)
    teff, logg = (as_numbers(found[name]) for name in ("teff", "logg"))
    return np.column_stack([10.0**teff if logarithmic else teff, logg])
