"""Surveys killed, terminated and interrupted at random moments: nothing lost, doubled, orphaned.

    python benchmarks/kills.py --artefact outputs/train/miles/emulator --kills 300 --ends 100

A mock survey is measured by one process and by two. Each time, at a random moment from its start
to its end, SIGKILL goes to its parent, to one of its processes or to all of them; or SIGTERM or
SIGINT to its parent or to all. The same command then goes on. Counted are runs that hang or leave
a process alive ten seconds later, end with another status, lose or repeat finished work, or whose
files in the end are not the bytes of an undisturbed run; all of these must be 0.

Every strike is a line of ``outputs/benchmarks/kills.jsonl``, and only what this record lacks is
done: the command can be stopped at any time, and goes on when it is given again. After 20 strikes
nothing disturbs a survey, and it comes to its end.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from family import Family
from listing import visible, works
from record import FOLDER, record
from torchfit.report.rows import Row

HOW = {1: ["trainer.devices=1", "pack.workers=0"], 2: ["trainer.devices=2", "pack.workers=2"]}
"""Settings of a survey of one process and of two."""
STAGES = ("shards", "start", "noise", "parts", "products")
"""Folders of finished work; the merged table beside them is made again."""
TABLES = ("catalogue.parquet", "catalogue.fits", "catalogue.csv", "rejects.csv")
STATUS = {
    signal.SIGKILL: (-signal.SIGKILL,),
    signal.SIGTERM: (143, -signal.SIGTERM),
    signal.SIGINT: (130, -signal.SIGINT),
}
"""How a program ends that a signal has ended."""
AT_ONCE = 20
"""Strikes until a survey is left in peace."""
LONG = 600.0
"""Seconds after which a process that works hangs."""


WORDS = ("processes", "signal", "target", "phase")
Struck = tuple[int, str, str, str]
"""What the words say of a strike."""


@dataclass(frozen=True)
class Strike:
    """A signal and whom it goes to: ``parent``, ``one`` of the processes, or ``all``."""

    number: signal.Signals
    target: str

    def hit(self, family: Family, chance: random.Random) -> bool:
        """Send the signal; whether there was a process to send it to."""
        members = family.members()
        if not members or not family.runs():
            return False
        with suppress(ProcessLookupError):
            if self.target == "all":
                os.killpg(family.parent, self.number)
            else:
                one = self.target == "one"
                os.kill(chance.choice(members) if one else family.parent, self.number)
        return True


KILLS = [Strike(signal.SIGKILL, target) for target in ("parent", "one", "all")]
ENDS = [Strike(n, target) for n in (signal.SIGTERM, signal.SIGINT) for target in ("parent", "all")]


@dataclass
class Campaign:
    """Runs of one survey, one after the other, each struck.

    Args:
        options: Overrides of the survey, without its folder.
        folder: Where to work.
        chance: Moments and targets.
        pieces: Number of shards, and of files with their rejects.
        note: Called with every strike and what was wrong after it.
        soon: Seconds after which a process that should have ended is an orphan.
    """

    options: Sequence[str]
    folder: Path
    chance: random.Random
    pieces: int
    note: Callable[[Struck, list[str]], object] = lambda struck, faults: None
    soon: float = 10.0
    expected: dict[str, bytes] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    strikes: Counter[Struck] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    work: dict[Path, int] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        """Folder of the survey."""
        return self.folder / "results"

    def start(self, processes: int, results: Path | None = None) -> Family:
        """Start the survey, or go on with it."""
        where = f"hydra.run.dir={results or self.results}"
        return Family("infer", [*self.options, *HOW[processes], where], self.folder)

    def undisturbed(self) -> None:
        """Run the survey in peace, for the right bytes and for the time it takes."""
        for processes in HOW:
            begin, results = time.monotonic(), self.folder / f"undisturbed-{processes}"
            with self.start(processes, results) as family:
                if family.wait(LONG) != 0:
                    raise RuntimeError(family.err)
            self.seconds[processes] = time.monotonic() - begin
            tables = tables_of(results)
            self._demand(self.expected in ({}, tables), "two processes give other bytes than one")
            self.expected = tables

    def run(self, strikes: Sequence[Strike], n: int) -> None:
        """Strike ``n`` times, and bring the survey to its end."""
        done = 0
        while done < n:
            done += self._strike(self.chance.choice(list(HOW)), self.chance.choice(strikes))
        with self.start(2) as family:
            self._judge_the_end(family)
        shutil.rmtree(self.results, ignore_errors=True)
        self.work = {}

    def _strike(self, processes: int, strike: Strike) -> bool:
        """Strike a run at a moment; whether there was one to strike."""
        known = len(self.faults)
        with self.start(processes) as family:
            self._wait_for_the_moment(family, processes)
            phase = phase_of(self.results, self.pieces)
            struck = (processes, strike.number.name, strike.target, phase)
            was_there = strike.hit(family, self.chance)
            self._judge(family, strike, f"{strike} of {processes} in {phase}")
        if was_there:
            self.strikes[struck] += 1
            self.note(struck, self.faults[known:])
        return was_there

    def _wait_for_the_moment(self, family: Family, processes: int) -> None:
        """Any moment of a whole run, or soon after some more pieces of work are finished."""
        if self.chance.random() < 0.5:
            time.sleep(self.chance.uniform(0, self.seconds[processes]))
            return
        enough = len(finished_work(self.results)) + self.chance.randrange(8)
        while len(finished_work(self.results)) < enough and family.runs():
            time.sleep(0.02)
        time.sleep(self.chance.uniform(0.0, 2.0))

    def _judge(self, family: Family, strike: Strike, what: str) -> None:
        """Wait for the end of a struck run and look at everything it has left."""
        status = family.wait(LONG if strike.target == "one" else self.soon)
        if status is None and phase_of(self.results, self.pieces) == "ended":
            status = family.wait(LONG)
        self._demand(status is not None, f"{what}: hangs")
        orphans = family.orphans(self.soon if status is not None else 0)
        self._demand(not orphans, f"{what}: {len(orphans)} orphans")
        family.clear()
        said = is_said(status, strike, family.err)
        self._demand(said, f"{what}: status {status}: {family.err[-2000:]}")
        kept = finished_work(self.results)
        if status == 0:
            self._demand(tables_of(self.results) == self.expected, f"{what}: other bytes")
            shutil.rmtree(self.results)
            kept = {}
        elif kept:
            lost = sorted(str(path) for path, _ in self.work.items() - kept.items())
            self._demand(not lost, f"{what}: work lost or repeated: {lost}")
        self.work = kept

    def _judge_the_end(self, family: Family) -> None:
        """Wait for the end of a run that nothing has struck."""
        known, status = len(self.faults), family.wait(LONG)
        whole = status == 0 and tables_of(self.results) == self.expected
        self._demand(whole, f"the last run: {status}: {family.err}")
        left = {path.name for path in works(self.results)}
        self._demand(not left and not list(self.results.glob("*.tmp")), f"{left} are left")
        self._demand(not family.orphans(self.soon), "the last run leaves orphans")
        self.note((2, "none", "none", "ended"), self.faults[known:])

    def _demand(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)
            print(f"FAULT {fault}", file=sys.stderr)


def is_said(status: int | None, strike: Strike, err: str) -> bool:
    """Whether a run ended as its signal demands, or well, or lost a child and says so in a line.

    An interrupt that comes before the program's first line is Python's to tell.
    """
    if status == 0 and strike.target == "one":
        return True  # Python's own resource tracker was the one: it is replaced, with a warning.
    if status == -signal.SIGINT and "in start_task" not in err:
        return True
    if status == 0 or status in STATUS[strike.number]:
        return "Traceback" not in err
    return strike.target == "one" and status == 1 and "the same command goes on" in err


def finished_work(results: Path) -> dict[Path, int]:
    """Every finished file of the stages, and when it was written; its rejects finish a shard."""
    work = {}
    folders = [folder / stage for folder in works(results) for stage in STAGES]
    for path in (path for folder in folders for path in visible(folder)):
        with suppress(FileNotFoundError):
            work[path] = path.stat().st_mtime_ns
    packed = {path.stem.partition("-")[2] for path in work if path.name.startswith("rejects-")}
    shards = [path for path in work if path.name.startswith("shard-") and path.suffix == ".arrow"]
    for path in shards:
        if path.stem.partition("-")[2] not in packed:
            del work[path]
    return work


def phase_of(results: Path, pieces: int) -> str:
    """What a run is at, from what it has finished.

    Args:
        results: Folder of the survey.
        pieces: Number of its shards.
    """
    if (results / "catalogue.parquet").exists():
        return "ended"
    work = finished_work(results)
    kinds = {path.parent.name for path in work}
    packed = sum(path.name.startswith("rejects-") for path in work)
    if kinds == {"shards"} and packed >= pieces:
        return "start of devices"
    phases = {"parts": "fit", "noise": "noise", "start": "match", "shards": "pack"}
    return next((phase for kind, phase in phases.items() if kind in kinds), "start")


def tables_of(results: Path) -> dict[str, bytes]:
    """The tables of a finished survey."""
    return {name: (results / name).read_bytes() for name in TABLES}


@dataclass(frozen=True)
class Record:
    """Every strike of all calls, a line each."""

    path: Path

    def add(self, struck: Struck, faults: list[str]) -> None:
        """Add a strike, or the end of a survey, and what was wrong after it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            line = dict(zip(WORDS, struck, strict=True)) | {"faults": faults}
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """What was added."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def done(self, strikes: Sequence[Strike]) -> int:
        """How many of some strikes there have been."""
        names = {strike.number.name for strike in strikes}
        return sum(line["signal"] in names for line in self.lines())

    def rows(self) -> list[Row]:
        """Numbers of strikes and faults, and a last row with their sums."""
        numbers, faults = Counter[Struck](), Counter[Struck]()
        for line in self.lines():
            key = tuple(line[word] for word in WORDS)
            numbers[key] += 1
            faults[key] += len(line["faults"])
        rows = [
            dict(zip(WORDS, key, strict=True)) | {"runs": number, "faults": faults[key]}
            for key, number in sorted(numbers.items())
        ]
        total = {"runs": numbers.total(), "faults": faults.total()}
        return [*rows, dict.fromkeys(WORDS, "all") | total]


def main() -> None:
    """Make a mock survey and strike it as often as the record lacks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--kills", type=int, default=300, help="of SIGKILL, in all calls")
    parser.add_argument("--ends", type=int, default=100, help="of SIGTERM and SIGINT, in all calls")
    parser.add_argument("--stars", type=int, default=24)
    given = parser.parse_args()
    # What ends this program ends what it has started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    record_of_all = Record(FOLDER / "kills.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        campaign = mock_campaign(given, Path(folder), record_of_all)
        campaign.undisturbed()
        for strikes, wanted in ((ENDS, given.ends), (KILLS, given.kills)):
            while (left := wanted - record_of_all.done(strikes)) > 0:
                campaign.run(strikes, min(left, AT_ONCE))
    record("kills", record_of_all.rows())
    sys.exit(record_of_all.rows()[-1]["faults"] > 0)


def mock_campaign(given: argparse.Namespace, folder: Path, record_of_all: Record) -> Campaign:
    """Strikes at a mock survey; its moments are others in every call."""
    tree = folder / "tree"
    command = ["-m", "torchfit.mock", "lamost", str(tree), "--n-stars", str(given.stars)]
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    survey = ["data=lamost_dr10", f"data.root={tree}", f"artefact={given.artefact.resolve()}"]
    small = ["pack.shard_size=4", "group.n_group=4", "batch_groups=1", "n_examples=1"]
    chance = random.Random(len(record_of_all.lines()))
    pieces = -(-given.stars // 4)
    return Campaign([*survey, *small], folder, chance, pieces, record_of_all.add)


if __name__ == "__main__":
    main()
