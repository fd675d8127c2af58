"""Damaged tables in every format, read as a user's table and as a survey's catalogue."""

import argparse
import logging
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from damage import KILOBYTES, SECONDS, Case, count_cases, peak
from torchfit.compare.reference import Reference
from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.sky import SkyMatch
from torchfit.crossmatch.user_table import TableSchema
from torchfit.exceptions import TorchfitError
from torchfit.mock.table_faults import SoundTables, made_table
from torchfit.report.rows import Row
from torchfit.surveys.lamost_catalogue import LamostCatalogue

SCHEMA = TableSchema(
    {name: [name] for name in ("ra", "dec", "teff", "logg")} | {"fe_h": ["feh"]},
    {"obsid": ["obsid"], "gaia_source_id": ["gaia_source_id"]},
    optional=["obsid", "gaia_source_id"],
)


def campaign(arguments: argparse.Namespace) -> list[Row]:
    """Read damaged tables and count what becomes of them, by format and by kind of damage."""
    return count_cases(read_cases, arguments, "tables", "format")


def read_cases(first: int, count: int, seed: int, keep: str | None) -> list[Case]:
    """Make some damaged tables, read each, and say what became of it."""
    logging.disable(logging.WARNING)
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            raw, name, kind = sound().damaged(number, seed)
            path = Path(folder) / str(number)
            path.write_bytes(raw)
            happened = outcome(path)
            cases.append((name, kind, happened))
            if keep and "other" in happened:
                Path(keep).mkdir(parents=True, exist_ok=True)
                (Path(keep) / f"{number}.{name.replace(' ', '.')}").write_bytes(raw)
            path.unlink()
    return cases


def outcome(path: Path) -> list[str]:
    """What became of a table: compared with our stars, and taken for a catalogue."""
    start, before = time.perf_counter(), peak()
    happened = "read"
    for use in (compare, catalogue):
        try:
            use(path)
        except TorchfitError as error:
            happened = "rejected" if "\n" not in str(error) else "other"
        except Exception as error:
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
            return ["other"]
    slow = ["slower than 5 s"] if time.perf_counter() - start > SECONDS else []
    return [happened, *slow, *(["over 1 GB"] if peak() > max(before, KILOBYTES) else [])]


def compare(path: Path) -> None:
    """Find our stars in a table."""
    key, sky = SharedKey("obsid", "obsid"), SkyMatch(3.0)
    reference = Reference(str(path), SCHEMA, ["teff", "logg", "fe_h"], key, sky, title="faults")
    theirs = reference.compare(stars()).theirs
    if theirs.shape != (len(stars()), 3) or not theirs.dtype == np.float64:
        raise AssertionError(f"labels of shape {theirs.shape}")


def catalogue(path: Path) -> None:
    """Read a table as a survey's."""
    table = LamostCatalogue.read(path).table
    if table["stem"].null_count:
        raise AssertionError("a row names no file")


@lru_cache
def sound() -> SoundTables:
    """The tables before they are damaged."""
    return SoundTables()


@lru_cache
def stars() -> pd.DataFrame:
    """Our stars: those of the table."""
    return made_table(sound().n_rows, sound().seed).rename(columns={"feh": "fe_h"})
