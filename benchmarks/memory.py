"""Memory of a survey of millions, stage by stage, and what ten million stars would take.

    python benchmarks/memory.py --stars 100000 1000000

The shards of so many made stars, of a few pixels, are packed already and have their start labels:
what is measured is all that depends on the number of stars and not on their spectra. Every row is a
process of its own; ``peak_rss_gb`` is what it takes beyond the imports. The last rows are the
memory of 11.47 million stars, by the line through the two largest numbers of stars.

``list`` names the files and finds the work folder; ``collect`` gathers rejects and copies;
``match`` makes classes and groups; ``start`` is all of these in one process, with what it sends to
others; ``other`` is one that is sent it, and reads some batches; ``joint`` finds the stars of
several exposures. ``python benchmarks/catalogue.py`` measures what follows the fits.
"""

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from record import peak_gb, record
from torchfit.files.atomic import atomic
from torchfit.group.grouping import Grouping
from torchfit.report.rows import Row, format_rows
from torchfit.run.record import digest_of
from torchfit.run.trainer import build_trainer
from torchfit.spectra import Spectra, Spectrum, StarInfo
from torchfit.survey.datamodule import GroupDataset
from torchfit.survey.devices import Devices
from torchfit.survey.joint import join_exposures
from torchfit.survey.match import match_survey, start_path
from torchfit.survey.pack import Packing
from torchfit.survey.part_writer import PartWriter
from torchfit.survey.piece import rejects_path, shard_path
from torchfit.survey.resume import prepare_work
from torchfit.survey.shards import shard_table, star_row, write_shard
from torchfit.surveys.reader import SurveyReader

SHARD, BATCHES, GROUPS = 1024, 40, 8
"""Stars of a shard; batches that another process reads, and their groups."""
SURVEY = 11_470_000
WAVE = torch.linspace(4000.0, 9000.0, 8, dtype=torch.float64)
SOURCE = "20131012/HD000000N000000V01/spec-56578-HD000000N000000V01_sp01-{:09d}.fits.gz"
OF_STAR = {"name": "LAMOST J{:09d}", "uid": "G{:017d}", "gaia_source_id": "{:019d}"}
INFO = StarInfo(
    SOURCE.format(0), obsid=0, name="a", ra=0.0, dec=0.0, subclass="G5", mjd=56578, uid="a",
    checksum=0, gaia_source_id="a", snr={"g": 30.0}, z_err=1e-5, n_bad=0, sum_ormask=0,
)  # fmt: skip
"""What a file could say."""


class MadeReader(SurveyReader):
    """Names the files of a survey that lies nowhere.

    Args:
        n_stars: Their number.
        folder: Where they would be.
    """

    name, lsf_fwhm = "made", None

    def __init__(self, n_stars: int, folder: Path) -> None:
        self.folder = folder
        self._sources = [SOURCE.format(number) for number in range(n_stars)]

    def sources(self) -> list[str]:
        """All names, kept as a reader of folders keeps them."""
        return self._sources

    def file_of(self, source: str) -> Path:
        """Where a file would be."""
        return self.folder / source

    def read(self, source: str) -> Spectrum:
        """Nothing is read."""
        raise AssertionError(source)


def write_work(work: Path, n_stars: int) -> None:
    """Shards, rejects and start labels of a survey; a tenth of the stars is seen twice."""
    rng = np.random.default_rng(0)
    prepare_work(work, MadeReader(n_stars, work), SHARD)  # The files are known as they are now.
    for folder in ("shards", "start"):
        (work / folder).mkdir(parents=True)
    flux = torch.from_numpy(rng.random((SHARD, len(WAVE))))
    spectra = Spectra(WAVE, flux, flux, torch.ones(SHARD, dtype=torch.bool))
    made = shard_table([star_row(0, INFO)] * SHARD, spectra)
    for number, first in enumerate(range(0, n_stars, SHARD)):
        star = np.arange(first, min(first + SHARD, n_stars))
        path = shard_path(work / "shards", number)
        write_shard(path, numbered(made.slice(0, len(star)), star))
        rejects_path(work / "shards", number).touch()
        with atomic(start_path(work / "start", path)) as temp, temp.open("wb") as file:
            np.save(file, rng.uniform(3500, 9000, (len(star), 5)))


def numbered(table: pa.Table, star: np.ndarray) -> pa.Table:
    """A shard of other stars."""
    owner = star - (star % 20 == 19)
    new: dict[str, Any] = {"star": star, "obsid": star, "checksum": star, "ra": owner % 360.0}
    new |= {name: [text.format(each) for each in owner] for name, text in OF_STAR.items()}
    new["source"] = [SOURCE.format(each) for each in star]
    for name, values in new.items():
        place, field = table.schema.get_field_index(name), table.schema.field(name)
        table = table.set_column(place, field, pa.array(values).cast(field.type))
    return table


def shards_in(work: Path) -> list[Path]:
    """The shards of the work."""
    return sorted((work / "shards").glob("shard-*.arrow"))


def listed(work: Path, n_stars: int) -> object:
    """The names of all files, the digest of the run, and what of the work is sound."""
    reader = MadeReader(n_stars, work)
    digest_of(reader.sources())
    prepare_work(work, reader, SHARD)
    return reader


def collected(work: Path, n_stars: int) -> object:
    """The same, and what a packed survey says of its stars."""
    reader = listed(work, n_stars)
    known = torch.ones(len(WAVE), dtype=torch.bool)
    packing: Any = Packing(shard_size=SHARD, workers=0)
    return packing.pack(reader, None, known, work / "shards")


def matched(work: Path, n_stars: int) -> Any:
    """Classes and groups."""
    library = SimpleNamespace(star_names=["Sun"])
    emulator = SimpleNamespace(wave=WAVE, library=library)
    fitter: Any = SimpleNamespace(emulator=emulator, settings=SimpleNamespace(grouping=Grouping()))
    return match_survey(shards_in(work), fitter, Devices(build_trainer), work / "start")


def started(work: Path, n_stars: int) -> None:
    """All of it, to what another process is sent."""
    collected(work, n_stars)
    survey = matched(work, n_stars)
    dataset = GroupDataset(survey.packed, survey.group, GROUPS, (), survey.matches)
    writer = PartWriter(work / "parts", survey.stars, ("teff", "logg", "fe_h", "alpha_fe"))
    sent = pickle.dumps((dataset, writer))
    (work / "sent.pickle").write_bytes(sent)


def other(work: Path, n_stars: int) -> None:
    """Another process: what it was sent, and the first batches of it."""
    with (work / "sent.pickle").open("rb") as file:
        dataset, writer = pickle.load(file)  # It was written by this program a moment ago.
    for number in range(min(BATCHES, len(dataset))):
        writer.stars.rows(dataset[number].star.numpy())


def joined(work: Path, n_stars: int) -> None:
    """Stars of several exposures, and their coadds."""
    join_exposures(shards_in(work), WAVE, [], work / "joint")


STAGES: dict[str, Callable[[Path, int], object]] = {
    "list": listed,
    "collect": collected,
    "match": matched,
    "start": started,
    "other": other,
    "joint": joined,
}


def measure(stage: str, work: Path, n_stars: int) -> Row:
    """Run a stage in this process."""
    before = peak_gb()
    STAGES[stage](work, n_stars)
    peak = peak_gb() - before
    return {
        "stage": stage, "stars": n_stars, "peak_rss_gb": round(peak, 3),
        "bytes_per_star": round(peak * 1e9 / n_stars),
    }  # fmt: skip


def in_own_process(stage: str, work: Path, n_stars: int) -> Row:
    """Measure a stage where nothing else has taken memory."""
    command = [sys.executable, __file__, "--row", stage, str(work), str(n_stars)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    row: Row = json.loads(printed.splitlines()[-1])
    return row


def extrapolated(rows: Sequence[Row], stage: str) -> Row:
    """Memory of a whole survey, by the line through the two largest numbers of stars."""
    own = sorted((row["stars"], row["peak_rss_gb"]) for row in rows if row["stage"] == stage)
    (n, low), (m, high) = own[-2:]
    slope = (high - low) / (m - n)
    return {
        "stage": stage, "stars": SURVEY, "peak_rss_gb": round(high + slope * (SURVEY - m), 2),
        "bytes_per_star": round(slope * 1e9),
    }  # fmt: skip


def main() -> None:
    """Run the benchmark, or one row of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, nargs="+", default=[100_000, 400_000])
    parser.add_argument("--row", nargs=3, metavar=("STAGE", "FOLDER", "STARS"))
    given = parser.parse_args()
    if given.row:
        stage, work, n_stars = given.row
        print(json.dumps(measure(stage, Path(work), int(n_stars))))
        return
    rows: list[Row] = []
    for n_stars in given.stars:
        with tempfile.TemporaryDirectory() as folder:
            write_work(Path(folder), n_stars)
            rows += map(partial(in_own_process, work=Path(folder), n_stars=n_stars), STAGES)
            print(format_rows(rows[-len(STAGES) :]), flush=True)
    if len(given.stars) > 1:
        rows += [extrapolated(rows, stage) for stage in STAGES]
    record("memory", rows)


if __name__ == "__main__":
    main()
