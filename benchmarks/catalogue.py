"""From parts to the files of a catalogue: how fast, and in how much memory.

    python benchmarks/catalogue.py --stars 1000000 --peers

Parts of 400 stars with random numbers in the columns of four labels are merged, calibrated, judged,
reported, and written in every format of the default: ``all`` is the whole chain with a recommended
sample, the other rows are the merge and one stage. A tenth of the stars is seen twice; the errors
learned from them are applied to all. Peers, on the same table in memory: one part after the other
by pandas, and pandas' and astropy's own writers. Every row is a process of its own;
``peak_rss_gb`` is what it takes beyond the imports, ``bytes_per_star`` the same for a star.
"""

import argparse
import json
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

from record import peak_gb, record
from torchfit.catalogue.conform import conform, conform_all, with_missing
from torchfit.catalogue.finished import FinishedSurvey
from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.parts import read_part, write_part
from torchfit.catalogue.product import Product
from torchfit.catalogue.recommended import Recommendation
from torchfit.catalogue.schema import Column, catalogue_columns, columns
from torchfit.files.column_table import ColumnTable
from torchfit.files.table_pieces import Table
from torchfit.flags.survey_rules import SurveyRules
from torchfit.names import LABELS
from torchfit.report.rows import Row, format_rows
from torchfit.report.survey import survey_report
from torchfit.run.finish import Finishing
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.uncertainty.survey_errors import Uncertainty

PART = 400
FORMATS = ("parquet", "fits", "csv")
SCHEMA = catalogue_columns(LABELS)
FINISHING = Finishing(
    SurveyRules(), Product(formats=FORMATS, recommended=Recommendation(["EDGE"], ["flag_snr"]))
)
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
    folder.mkdir(parents=True)
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
    if column.name == "uid":
        return [TEXTS["uid"].format(number - (number % 20 == 19)) for number in star]
    if column.dtype == "str":
        return [TEXTS.get(column.name, "").format(number) for number in star]
    if column.dtype == "bool":
        return star % 7 == 0
    if column.dtype.lower() == "int64":
        return rng.integers(0, 10**9, len(star))
    return rng.gamma(4.0, 1.0, len(star))


def merged(paths: list[Path], n_stars: int) -> ColumnTable:
    """The table of a survey."""
    folder = Path(tempfile.mkdtemp(dir=paths[0].parents[1]))
    return merge_parts(paths, np.arange(n_stars), LABELS, folder / "table")


def by_pandas(paths: list[Path], n_stars: int) -> pd.DataFrame:
    """The same without us."""
    table = pd.concat([read_part(path) for path in paths]).sort_values("star", ignore_index=True)
    return conform(table.assign(**{c.name: np.nan for c in SCHEMA if c.name not in table}), SCHEMA)


def calibrated(table: Table) -> Table:
    """Errors, with a model of random ones that is learned from the repeats."""
    snr = SurveyRules().snr.ratio(table)
    return Uncertainty().calibrate(table, LABELS, LibraryErrors(), snr).table


def finished(table: Table) -> FinishedSurvey:
    """Flags of the survey, and what is reported of it."""
    none = pd.DataFrame({"source": [], "reason": []})
    return FINISHING.finish(table, none, LABELS, {})


def reported(table: Table) -> None:
    """The page of the survey."""
    survey_report(finished(table), None, None, {})


def delivered(table: Table, folder: Path) -> None:
    """All that follows the merge."""
    FINISHING.deliver(finished(calibrated(table)), folder / "delivered", {})


def written(table: Table, folder: Path, kind: str) -> None:
    """One file of the catalogue."""
    whole = conform_all(with_missing(table, SCHEMA), SCHEMA)
    writers = Product(formats=FORMATS).writers("catalogue", whole, SCHEMA, {})
    writers[f"catalogue.{kind}"](folder / f"catalogue.{kind}")


OURS: Mapping[str, Callable[[Table, Path], object]] = {
    "merge": lambda table, folder: None,
    "calibrate": lambda table, folder: calibrated(table),
    "finish": lambda table, folder: finished(table),
    "report": lambda table, folder: reported(table),
    **{kind: partial(written, kind=kind) for kind in FORMATS},
    "all": delivered,
}
PEERS: Mapping[tuple[str, str], Callable[[pd.DataFrame, Path], object]] = {
    ("merge", "pandas"): lambda table, folder: None,
    ("parquet", "pandas"): lambda table, folder: table.to_parquet(folder / "pandas.parquet"),
    ("csv", "pandas"): lambda table, folder: table.to_csv(folder / "pandas.csv", index=False),
    ("fits", "astropy"): lambda table, folder: at.Table.from_pandas(table).write(
        folder / "astropy.fits"
    ),
}


def measure(stage: str, method: str, folder: Path, n_stars: int) -> Row:
    """Run one stage in this process, after the merge."""
    paths = sorted((folder / "parts").glob("*.parquet"))
    before, start = peak_gb(), time.perf_counter()
    if method == "torchfit":
        ours = merged(paths, n_stars)
        start = start if stage in ("merge", "all") else time.perf_counter()
        OURS[stage](ours, folder)
    else:
        theirs = by_pandas(paths, n_stars)
        start = start if stage == "merge" else time.perf_counter()
        PEERS[stage, method](theirs, folder)
    seconds, peak = time.perf_counter() - start, peak_gb() - before
    return {
        "stage": stage,
        "method": method,
        "stars": n_stars,
        "stars_per_s": round(n_stars / seconds),
        "peak_rss_gb": round(peak, 2),
        "bytes_per_star": round(peak * 1e9 / n_stars),
    }


def main() -> None:
    """Run the benchmark, or one row of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=400_000)
    parser.add_argument("--stages", nargs="*", choices=list(OURS), help="some; all by default")
    parser.add_argument("--peers", action="store_true", help="measure pandas and astropy too")
    parser.add_argument("--row", nargs=3, metavar=("STAGE", "METHOD", "FOLDER"))
    args = parser.parse_args()
    if args.row:
        stage, method, folder = args.row
        print(json.dumps(measure(stage, method, Path(folder), args.stars)))
        return
    wanted = [(stage, "torchfit") for stage in args.stages or OURS]
    wanted += list(PEERS) if args.peers else []
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
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row: Row = json.loads(printed.splitlines()[-1])
    return row


if __name__ == "__main__":
    main()
