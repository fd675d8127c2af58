"""A survey of very many stars through ``infer``: memory flat, no slowdown, table complete.

    python benchmarks/soak.py --artefact outputs/train/miles/emulator --stars 1000000

``infer`` packs the first mock stars of ``--stars`` and is interrupted. Its shards are repeated,
with numbers, names and identifiers of their own, as those of all the others, which would take
hours to make; the same command then goes on with matching, fits, merge, errors, catalogue and
report. While it runs, the memory of all its processes and what they have finished are noted; a row
is a tenth of the fits. Memory that the last tenth has more than the first tells a leak, more
processor time for a star a slowdown, whatever else the machine does; the table must hold every star
once.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from family import Family
from listing import visible, works
from record import record
from torchfit.report.rows import Row

SHARD = 1000
PATIENCE = 7200.0
"""Seconds in which something must have been finished."""
_OWNERS = ("name", "uid")
"""Columns that repeat visits of a star share, but no copies of it."""
MEMORY = ("RssAnon", "RssFile")
"""Lines of Linux's status of a process: memory of its own, and pages of files."""
MOST_GROWTH, MOST_COST = 1.15, 1.3
"""Own memory of the last tenth over that of the first, and processor time of a star in any tenth
over the median: beyond these it is a leak or a slowdown."""
TICKS = os.sysconf("SC_CLK_TCK")
"""Linux's units of processor time in a second."""


@dataclass(frozen=True)
class Sample:
    """What was seen at one time.

    Args:
        second: Since the start.
        stage: What is being done: shards, start, noise, parts, or table, and what follows.
        done: Finished files of that stage.
        memory: Gigabytes of all processes together, by :data:`MEMORY`.
        processor: Seconds of processor time of all of them, those that have ended included.
    """

    second: float
    stage: str
    done: int
    memory: tuple[float, ...]
    processor: float


def main() -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--stars", type=int, default=1_000_000)
    parser.add_argument("--unique", type=int, default=4, help=f"shards of {SHARD} mock stars")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two samples")
    parser.add_argument("--folder", type=Path, help="where to work; temporary if not given")
    given = parser.parse_args()
    # What ends this program ends what it has started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows, faults = soak(given, Path(folder))
    record("soak", rows)
    print(*(faults or ["memory is flat, no slowdown, the table is complete"]), sep="\n")
    sys.exit(bool(faults))


def soak(given: argparse.Namespace, folder: Path) -> tuple[list[Row], list[str]]:
    """Pack, repeat, measure; what was seen, and what was wrong."""
    results = folder / "results"
    options = [
        "data=lamost_mock", f"data.n_stars={given.stars}", f"pack.shard_size={SHARD}",
        f"artefact={given.artefact.resolve()}", f"trainer.devices={given.devices}",
        f"hydra.run.dir={results}",
    ]  # fmt: skip
    with Family("infer", options, folder) as family:
        shards = packed(family, results, min(given.unique, -(-given.stars // SHARD)))
    repeat(shards, given.stars)
    begin, samples = time.monotonic(), []
    with Family("infer", options, folder) as family:
        while family.wait(given.every) is None:
            samples.append(seen(family, results, time.monotonic() - begin))
        status = family.wait(0)
        rows = tenths(samples, given.stars)
        faults = [*judged(rows), *complete(results / "catalogue.parquet", given.stars)]
        return rows, faults if status == 0 else [f"status {status}: {family.err[-1000:]}"]


def packed(family: Family, results: Path, n_shards: int) -> list[Path]:
    """Wait for the first shards, and interrupt the survey."""
    until = time.monotonic() + PATIENCE
    while family.runs() and time.monotonic() < until:
        if len(shards_of(results, "rejects")) >= n_shards:
            break
        time.sleep(0.1)
    else:
        raise RuntimeError(f"the survey has not been packed: {family.err[-1000:]}")
    if family.runs():
        family.interrupt()
    family.wait(60)
    return shards_of(results, "shard")[:n_shards]


def shards_of(results: Path, kind: str) -> list[Path]:
    """Files of one kind, ``shard`` or ``rejects``, that the packing has finished."""
    paths = [path for work in works(results) for path in visible(work / "shards")]
    return [path for path in paths if path.name.startswith(f"{kind}-")]


def repeat(shards: list[Path], n_stars: int) -> None:
    """Write the shards of all stars, the given ones again and again."""
    folder, tables = shards[0].parent, [_table(path) for path in shards]
    for number, first in enumerate(range(0, n_stars, SHARD)):
        path = folder / f"shard-{number:05d}.arrow"
        rejects = folder / f"rejects-{number:05d}.jsonl"
        if rejects.exists():
            continue
        table = _numbered(tables[number % len(tables)], first, min(SHARD, n_stars - first))
        with pa.ipc.new_file(str(path), table.schema) as file:
            file.write_table(table)
        rejects.touch()


def _table(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _numbered(table: pa.Table, first: int, n: int) -> pa.Table:
    """Stars as others: with numbers, names and identifiers that follow from their place."""
    star = np.arange(first, first + n)
    table = pa.concat_tables([table] * -(-n // table.num_rows)).slice(0, n)
    owner = {name: [f"{text}-{first}" for text in table[name].to_pylist()] for name in _OWNERS}
    new = owner | {
        "star": star,
        "source": [f"mock:{number:08d}" for number in star],
        "obsid": 10**9 + star,
        "checksum": star,
    }
    for name, values in new.items():
        place = table.schema.get_field_index(name)
        column = pa.array(values).cast(table.schema.field(name).type)
        table = table.set_column(place, table.schema.field(name), column)
    return table.combine_chunks()


def seen(family: Family, results: Path, second: float) -> Sample:
    """Memory of all processes, and what they have finished."""
    work = next(iter(works(results)), results)
    stages = ("table", "parts", "noise", "start", "shards")
    finished = {stage: len(visible(work / stage)) for stage in stages}
    stage = next((stage for stage, number in finished.items() if number), "none")
    done = finished.get(stage, 0)
    members = family.members()
    each = [_memory(process) for process in members]
    memory = tuple(sum(one[place] for one in each) / 1e6 for place in range(len(MEMORY)))
    return Sample(second, stage, done, memory, sum(map(_processor, members)))


def _memory(process: int) -> tuple[int, ...]:
    """Kilobytes of one process; none of one that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return (0,) * len(MEMORY)
    values = dict(line.split(":", 1) for line in lines)
    return tuple(int(values.get(name, "0 kB").split()[0]) for name in MEMORY)


def _processor(process: int) -> float:
    """Seconds of a process and of its ended children; none of one that has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    # The second field is a name in brackets; of what follows, the 12th to 15th are times.
    return sum(map(int, text.rpartition(")")[2].split()[11:15])) / TICKS


def tenths(samples: list[Sample], n_stars: int) -> list[Row]:
    """A row of each stage; of the fits one of each tenth."""
    rows: list[Row] = []
    for stage in dict.fromkeys(sample.stage for sample in samples):
        here = [sample for sample in samples if sample.stage == stage]
        total, pieces = max(here[-1].done, 1), 10 if stage == "parts" else 1
        tenth = np.array([min(sample.done * pieces // total, pieces - 1) for sample in here])
        for number in range(pieces):
            places = np.flatnonzero(tenth == number)
            if places.size:
                # From the last sample of the tenth before: a tenth may be a few samples long.
                first = here[max(places[0] - 1, 0)]
                some = [first, *(here[place] for place in places)]
                rows.append(_row(f"{stage} {number + 1}/{pieces}", some, n_stars / total))
    return rows


def _row(name: str, some: list[Sample], stars_a_file: float) -> Row:
    seconds, done = some[-1].second - some[0].second, some[-1].done - some[0].done
    anonymous, files = zip(*(sample.memory for sample in some[1:]), strict=True)
    counts = some[-1].stage in ("start", "parts")  # A file of these is so many stars.
    stars = done * stars_a_file if counts and done else np.nan
    processor = some[-1].processor - some[0].processor
    return {
        "stage": name,
        "seconds": round(seconds, 1),
        "stars_per_s": round(stars / seconds) if stars > 0 and seconds else np.nan,
        "processor_ms_a_star": round(1e3 * processor / stars, 4),
        "own_gb": round(max(anonymous), 3),
        "file_gb": round(max(files), 3),
    }


def judged(rows: list[Row]) -> list[str]:
    """What says that memory grows or that the fits slow down."""
    fits = [row for row in rows if str(row["stage"]).startswith("parts")]
    if len(fits) < 10:
        return ["too few samples of the fits: take more stars, or a smaller --every"]
    growth = fits[-1]["own_gb"] / fits[1]["own_gb"]  # The first tenth still imports.
    costs = [row["processor_ms_a_star"] for row in fits]
    cost = costs[-2] / np.nanmedian(costs)
    found = [f"own memory grows to {growth:.2f} of what it was"] if growth > MOST_GROWTH else []
    return found + ([f"the last fits cost {cost:.2f} of the median"] if cost > MOST_COST else [])


def complete(path: Path, n_stars: int) -> list[str]:
    """What the table lacks, or has twice."""
    if not path.exists():
        return ["there is no catalogue"]
    table = pq.read_table(path, columns=["star", "teff", "stop"])
    star, teff = table["star"].to_numpy(), table["teff"].to_numpy()
    found = [] if np.array_equal(star, np.arange(n_stars)) else ["stars are missing or doubled"]
    return found + ([] if np.isfinite(teff).all() else [f"{np.isnan(teff).sum()} without labels"])


if __name__ == "__main__":
    main()
