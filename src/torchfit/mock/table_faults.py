"""Damaged tables of a user, in every format that torchfit reads."""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import astropy.table as at
import astropy.units as u
import numpy as np
import pandas as pd
from astropy.coordinates import Angle

from torchfit.mock.damage import BYTE_DAMAGE, FITS_DAMAGE, Damage, damage

_CELLS = (
    b"", b"nan", b"-9999", b"1e999", b"-1e308", b"99999999999999999999", b"3.4e+18", b"#7", b'"',
    b'""', b"'", b",", b";", b"\t", b"|", b"=1+1", b"\xe9", b"\x00", b"1:2:3", b"-00 00 00.1",
    b"12,5", b"1.234,5", b"Gaia DR2 5", b"\xff\xfe", b"\r", b"\n\n", b"# x", b"----", b"1" * 400,
)  # fmt: skip


def spoil_cell(raw: bytes, rng: np.random.Generator) -> bytes:
    """Put something else where a cell, or a part of one, stands."""
    start = int(rng.integers(0, max(1, len(raw))))
    size = int(rng.integers(0, 12))
    return raw[:start] + _CELLS[int(rng.integers(len(_CELLS)))] + raw[start + size :]


def exchange_bytes(raw: bytes, rng: np.random.Generator) -> bytes:
    """Exchange a separator or quote for another, everywhere or from some place on."""
    marks = b",;\t| \"'#.\n<>"
    one, other = (marks[int(n)] for n in rng.integers(0, len(marks), 2))
    start = int(rng.integers(0, len(raw))) if rng.random() < 0.5 else 0
    return raw[:start] + raw[start:].replace(bytes([one]), bytes([other]))


TEXT_DAMAGE: dict[str, Damage] = BYTE_DAMAGE | {
    "cells spoilt": spoil_cell,
    "separators exchanged": exchange_bytes,
}
"""Damage to tables of text."""


def made_table(n_rows: int, seed: int) -> pd.DataFrame:
    """Make a table of stars as a survey's release has it.

    Args:
        n_rows: Number of rows.
        seed: Of its numbers.
    """
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "obsid": 101001 + np.arange(n_rows),
            "lmjd": 55903,
            "planid": "MOCK000001B01",
            "spid": 1,
            "fiberid": 1 + np.arange(n_rows),
            "gaia_source_id": 3428806540132843520 + np.arange(n_rows),
            "name": [f"[KC95] #{n}" for n in range(n_rows)],
            "ra": rng.uniform(0, 360, n_rows).round(6),
            "dec": rng.uniform(-90, 90, n_rows).round(6),
            "teff": rng.uniform(3000, 9000, n_rows).round(2),
            "logg": rng.uniform(0, 5, n_rows).round(3),
            "feh": rng.uniform(-2, 0.5, n_rows).round(3),
        }
    )


def _csv(table: pd.DataFrame, encoding: str = "utf-8", **settings: object) -> bytes:
    return str(table.to_csv(index=False, **settings)).encode(encoding)  # type: ignore[call-overload]


def _sexagesimal(table: pd.DataFrame) -> bytes:
    ra = Angle(table["ra"].to_numpy(), u.deg).to_string(u.hourangle, sep=" ", precision=2)
    dec = Angle(table["dec"].to_numpy(), u.deg).to_string(u.deg, sep=":", precision=1)
    return _csv(table.assign(ra=ra, dec=dec))


def _vizier(table: pd.DataFrame) -> bytes:
    lines = _csv(table, sep="\t").decode().split("\n")
    units = "\t".join("deg" if name in ("ra", "dec") else "" for name in table)
    dashes = "\t".join("-----" for _ in table)
    head = ["#RESOURCE=x", "#", "", lines[0], units, dashes]
    return "\n".join([*head, *lines[1:], *head, *lines[1:]]).encode()


def _pandas(table: pd.DataFrame, kind: str) -> bytes:
    buffer = io.BytesIO()
    getattr(table, f"to_{kind}")(buffer)
    return buffer.getvalue()


def _astropy(table: pd.DataFrame, kind: str, **settings: object) -> bytes:
    made = at.Table.from_pandas(table)
    if kind.startswith("ascii"):
        text = io.StringIO()
        made.write(text, format=kind, **settings)
        return text.getvalue().encode()
    buffer = io.BytesIO()
    made.write(buffer, format=kind, **settings)
    return buffer.getvalue()


def _packed(write: Callable[[pd.DataFrame], bytes], table: pd.DataFrame) -> bytes:
    return gzip.compress(write(table), 1, mtime=0)


FORMATS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "csv": _csv,
    "semicolons": partial(_csv, sep=";", decimal=","),
    "quoted": partial(_csv, quoting=1),
    "tabs": partial(_csv, sep="\t"),
    "blanks": lambda table: _csv(table.drop(columns="name"), sep=" "),
    "utf-16": partial(_csv, encoding="utf-16"),
    "sexagesimal": _sexagesimal,
    "vizier": _vizier,
    "csv.gz": partial(_packed, _csv),
    "parquet": partial(_pandas, kind="parquet"),
    "feather": partial(_pandas, kind="feather"),
    "fits": partial(_astropy, kind="fits"),
    "fits.gz": partial(_packed, partial(_astropy, kind="fits")),
    "votable": partial(_astropy, kind="votable"),
    "votable binary": partial(_astropy, kind="votable", tabledata_format="binary2"),
    "ecsv": partial(_astropy, kind="ascii.ecsv"),
    "ipac": partial(_astropy, kind="ascii.ipac"),
    "mrt": partial(_astropy, kind="ascii.mrt"),
}
"""Writers of every format."""


@dataclass
class SoundTables:
    """A sound table in every format.

    Args:
        n_rows: Number of its rows.
        seed: Seed of its numbers.
    """

    n_rows: int = 40
    seed: int = 1
    files: dict[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        table = made_table(self.n_rows, self.seed)
        self.files = {name: write(table) for name, write in FORMATS.items()}

    def damaged(self, number: int, seed: int) -> tuple[bytes, str, str]:
        """Make a damaged table.

        Args:
            number: Its number; the same number and seed give the same bytes.
            seed: Of the campaign.

        Returns:
            Its bytes, its format, and how it was damaged.
        """
        rng = np.random.default_rng((seed, number))
        name = list(self.files)[number % len(self.files)]
        kinds = FITS_DAMAGE if name == "fits" else TEXT_DAMAGE
        spoilt, kind = damage(self.files[name], kinds, rng)
        return spoilt, name, kind
