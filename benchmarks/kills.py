"""Surveys killed, terminated and interrupted at random moments: nothing lost, doubled, orphaned.

    python benchmarks/kills.py --artefact outputs/train/miles/emulator --kills 300 --ends 100

A mock survey is measured by one process and by two. Each time, at a random moment from its start
to its end, SIGKILL goes to its parent, to one of its processes or to all of them; or SIGTERM or
SIGINT to its parent or to all. The same command then goes on. Counted are runs that hang or leave
a process alive ten seconds later, end with another status, lose or repeat finished work, or whose
files in the end are not the bytes of an undisturbed run; all of these must be 0.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from family import Family
from record import record

HOW = {1: ["trainer.devices=1", "pack.workers=0"], 2: ["trainer.devices=2", "pack.workers=2"]}
"""Settings of a survey of one process and of two."""
TABLES = ("catalogue.parquet", "catalogue.fits", "catalogue.csv", "rejects.csv")
STATUS = {
    signal.SIGKILL: (-signal.SIGKILL,),
    signal.SIGTERM: (143, -signal.SIGTERM),
    signal.SIGINT: (130, -signal.SIGINT),
}
"""How a program ends that a signal has ended."""
SOON, LONG = 10.0, 600.0
"""Seconds after which a process that should have ended is an orphan, and one that works hangs."""


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
    """

    options: Sequence[str]
    folder: Path
    chance: random.Random
    expected: dict[str, bytes] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    strikes: Counter[tuple[int, str, str, str]] = field(default_factory=Counter)
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
            family = self.start(processes, results)
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
            processes, strike = self.chance.choice(list(HOW)), self.chance.choice(strikes)
            family = self.start(processes)
            self._wait_for_the_moment(family, processes)
            phase = phase_of(self.results)
            if strike.hit(family, self.chance):
                self.strikes[processes, strike.number.name, strike.target, phase] += 1
                done += 1
            self._judge(family, strike, f"{strike} of {processes} in {phase}")
        self._finish()

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
        status = family.wait(LONG if strike.target == "one" else SOON)
        if status is None and phase_of(self.results) == "ended":
            status = family.wait(LONG)
        self._demand(status is not None, f"{what}: hangs")
        orphans = family.orphans(SOON if status is not None else 0)
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

    def _finish(self) -> None:
        family = self.start(2)
        status = family.wait(LONG)
        whole = status == 0 and tables_of(self.results) == self.expected
        self._demand(whole, f"the last run: {status}: {family.err}")
        left = {path.name for path in self.results.glob("*") if path.name.startswith("work-")}
        self._demand(not left and not list(self.results.glob("*.tmp")), f"{left} are left")
        self._demand(not family.orphans(SOON), "the last run leaves orphans")
        shutil.rmtree(self.results, ignore_errors=True)
        self.work = {}

    def _demand(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)
            print(f"FAULT {fault}", file=sys.stderr)

    def rows(self) -> list[dict[str, object]]:
        """Numbers of strikes, and a last row with that of the faults."""
        names = ("processes", "signal", "target", "phase")
        rows = [
            dict(zip(names, key, strict=True)) | {"strikes": number, "faults": ""}
            for key, number in sorted(self.strikes.items())
        ]
        total = {"strikes": self.strikes.total(), "faults": len(self.faults)}
        return [*rows, {**dict.fromkeys(names, "all"), **total}]


def is_said(status: int | None, strike: Strike, err: str) -> bool:
    """Whether a run ended as its signal demands, or well, or lost a child and says so in a line."""
    if status == 0 and strike.target == "one":
        return True  # Python's own resource tracker was the one: it is replaced, with a warning.
    if status == -signal.SIGKILL and strike.number == signal.SIGKILL:
        return True  # A child of Python's that was just being started may say that it was cut off.
    if status == 0 or status in STATUS[strike.number]:
        return "Traceback" not in err
    return strike.target == "one" and status == 1 and "the same command goes on" in err


def finished_work(results: Path) -> dict[Path, int]:
    """Every finished file of the stages, and when it was written; its rejects finish a shard."""
    work = {}
    for path in results.glob("work-*/*/[!.]*"):
        with suppress(FileNotFoundError):
            work[path] = path.stat().st_mtime_ns
    packed = {path.stem.partition("-")[2] for path in work if path.name.startswith("rejects-")}
    shards = [path for path in work if path.name.startswith("shard-") and path.suffix == ".arrow"]
    for path in shards:
        if path.stem.partition("-")[2] not in packed:
            del work[path]
    return work


def phase_of(results: Path) -> str:
    """What a run is at, from what it has finished."""
    if (results / "catalogue.parquet").exists():
        return "ended"
    kinds = Counter(path.parent.name for path in finished_work(results))
    phases = {"parts": "fit", "noise": "noise", "start": "match", "shards": "pack"}
    return next((phase for kind, phase in phases.items() if kinds[kind]), "start")


def tables_of(results: Path) -> dict[str, bytes]:
    """The tables of a finished survey."""
    return {name: (results / name).read_bytes() for name in TABLES}


def main() -> None:
    """Make a mock survey and strike it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--kills", type=int, default=300, help="of SIGKILL")
    parser.add_argument("--ends", type=int, default=100, help="of SIGTERM and SIGINT")
    parser.add_argument("--stars", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        command = ["-m", "torchfit.mock", "lamost", str(tree), "--n-stars", str(given.stars)]
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        survey = ["data=lamost_dr10", f"data.root={tree}", f"artefact={given.artefact.resolve()}"]
        small = ["pack.shard_size=4", "group.n_group=4", "batch_groups=1", "n_examples=1"]
        campaign = Campaign([*survey, *small], Path(folder), random.Random(given.seed))
        campaign.undisturbed()
        campaign.run(KILLS, given.kills)
        campaign.run(ENDS, given.ends)
        record("kills", campaign.rows())
    sys.exit(bool(campaign.faults))


if __name__ == "__main__":
    main()
