"""From parts to the files of a catalogue: how fast, and in how much memory.

    python benchmarks/catalogue.py --stars 1000000

Parts of 400 stars with random numbers in the columns of four labels are merged, judged, and written
in every format of the default. Peers, on the same table: one part after the other by pandas, and
pandas' and astropy's own writers. Every row is a process of its own, which reads the same parts;
``peak_rss_gb`` is what it takes beyond the imports, the table included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import astropy.table as at
import numpy as np
import pandas as pd

from record import record
from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.parts import read_part, write_part
from torchfit.catalogue.product import Product
from torchfit.catalogue.schema import Column, catalogue_columns, columns, conform
from torchfit.flags.survey_rules import SurveyRules
from torchfit.names import LABELS
from torchfit.report.rows import Row, format_rows
from torchfit.run.finish import Finishing

PART = 400
FORMATS = ("parquet", "fits", "csv")
TEXTS = {
    "source": "20131012/HD000000N000000V01/spec-56578-HD000000N000000V01_sp01-{:09d}.fits.gz",
    "uid": "G{:017d}",
    "gaia_source_id": "{:019d}",
    "name": "LAMOST J{:09d}",
    "subclass": "G3",
    "spectral_class": "G",
    "stop": "converged",
}


def write_parts(folder: Path, n_stars: int) -> None:
    """Parts of stars in a random order, as a survey's groups have them."""
    rng = np.random.default_rng(0)
    order = rng.permutation(n_stars)
    schema = columns(LABELS)
    for low in range(0, n_stars, PART):
        star = np.sort(order[low : low + PART])
        table = pd.DataFrame({column.name: cells(column, star, rng) for column in schema})
        write_part(folder / f"part-{low:09d}.parquet", conform(table, schema))


def cells(column: Column, star: np.ndarray, rng: np.random.Generator) -> object:
    """What a column could hold."""
    if column.name == "star":
        return star
    if column.dtype == "str":
        return [TEXTS.get(column.name, "").format(number) for number in star]
    if column.dtype == "bool":
        return star % 7 == 0
    if column.dtype.lower() == "int64":
        return rng.integers(0, 10**9, len(star))
    return rng.gamma(4.0, 1.0, len(star))


def merged(paths: list[Path], n_stars: int) -> pd.DataFrame:
    """The table of a survey."""
    return merge_parts(paths, np.arange(n_stars), LABELS)


def by_pandas(paths: list[Path], n_stars: int) -> pd.DataFrame:
    """The same without us."""
    return pd.concat([read_part(path) for path in paths]).sort_values("star", ignore_index=True)


def finished(table: pd.DataFrame) -> None:
    """Flags of the survey, and what is told of it."""
    none = pd.DataFrame({"source": [], "reason": []})
    Finishing(SurveyRules(), Product()).finish(table, none, LABELS, {})


def ways(table: pd.DataFrame, folder: Path) -> dict[tuple[str, str], Callable[[], object]]:
    """What follows the merge, and who does it."""
    empty = {c.name: np.nan for c in catalogue_columns(LABELS) if c.name not in table}
    schema = catalogue_columns(LABELS)
    whole = conform(table.assign(**empty), schema)
    writers = Product(formats=FORMATS).writers("catalogue", whole, schema, {})
    ours: Mapping[str, Callable[[], object]] = {
        name.rpartition(".")[2]: partial(write, folder / name) for name, write in writers.items()
    }
    return {
        ("finish", "torchfit"): partial(finished, table),
        **{(kind, "torchfit"): write for kind, write in ours.items()},
        ("parquet", "pandas"): lambda: whole.to_parquet(folder / "pandas.parquet"),
        ("csv", "pandas"): lambda: whole.to_csv(folder / "pandas.csv", index=False),
        ("fits", "astropy"): lambda: at.Table.from_pandas(whole).write(folder / "astropy.fits"),
    }


def measure(stage: str, method: str, folder: Path, n_stars: int) -> Row:
    """Run one stage in this process."""
    paths = sorted((folder / "parts").glob("*.parquet"))
    before = peak_gb()
    merge = by_pandas if (stage, method) == ("merge", "pandas") else merged
    start = time.perf_counter()
    table = merge(paths, n_stars)
    if stage != "merge":
        work = ways(table, folder)[stage, method]
        start = time.perf_counter()
        work()
    seconds = time.perf_counter() - start
    return {
        "stage": stage,
        "method": method,
        "stars": n_stars,
        "stars_per_s": round(n_stars / seconds),
        "peak_rss_gb": round(peak_gb() - before, 2),
    }


def peak_gb() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Run the benchmark, or one row of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=400_000)
    parser.add_argument("--row", nargs=3, metavar=("STAGE", "METHOD", "FOLDER"))
    args = parser.parse_args()
    if args.row:
        stage, method, folder = args.row
        print(json.dumps(measure(stage, method, Path(folder), args.stars)))
        return
    wanted = [
        (stage, method)
        for stage, peer in (
            ("merge", "pandas"), ("finish", None), ("parquet", "pandas"), ("fits", "astropy"),
            ("csv", "pandas"),
        )
        for method in ("torchfit", peer)
        if method
    ]  # fmt: skip
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        write_parts(Path(folder) / "parts", args.stars)
        for stage, method in wanted:
            rows.append(in_own_process(stage, method, folder, args.stars))
            print(format_rows(rows[-1:]))
    record("catalogue", rows)


def in_own_process(stage: str, method: str, folder: str, n_stars: int) -> Row:
    """Measure one row where nothing else has taken memory."""
    command = [sys.executable, __file__, "--stars", str(n_stars), "--row", stage, method, folder]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row: Row = json.loads(told.splitlines()[-1])
    return row


if __name__ == "__main__":
    main()
