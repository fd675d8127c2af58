"""How many spectra a second, stage by stage, and how much memory.

    python benchmarks/throughput.py --emulator outputs/train/mastar_mock/emulator
    python benchmarks/throughput.py --accelerator gpu

Without an emulator one is trained first, of a mock library, on the same accelerator.

A mock survey is packed, matched, fitted and written as ``infer.py data=lamost_mock`` does it,
for two sizes; packed shards of ``--unique`` different spectra are repeated to the sizes wanted, so
that the reading, matching, fitting and writing are those of the full survey. In the same run, on a
sample: scipy's ``curve_fit`` star by star, and one ``bayesian-optimization`` per group. Beside them
the published rate of LASP-Adam-GPU (Liang et al. 2025, arXiv:2512.24840).
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import lightning
import numpy as np
import pyarrow as pa
import torch

from optimisers import EVALUATIONS, package_bo, problem_of
from record import FOLDER, record
from settings import artefact_of, build, composed, devices, fitter
from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.parquet_file import write_parquet
from torchfit.catalogue.schema import columns
from torchfit.emulator.artefact import load_emulator
from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.fitter import BatchFitter
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.curve_fit import CurveFit
from torchfit.report.rows import Row
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey
from torchfit.survey.noise import estimate_noise
from torchfit.survey.shards import Shard

T = TypeVar("T")
SURVEY = ["data=lamost_mock", "metric=common", "match=components", "optimise=[lm]"]


def peak_gb() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def peak_gpu_gb() -> float:
    """Largest memory of this process on its GPU so far; NaN where it has none."""
    has_gpu = torch.cuda.is_available()
    return torch.cuda.max_memory_allocated() / 1e9 if has_gpu else float("nan")


def row_of(stage: str, n_stars: int, rate: float) -> Row:
    """A row of the result."""
    return {
        "stage": stage, "stars": n_stars, "devices": 1, "spectra_per_s": rate,
        "peak_rss_gb": peak_gb(), "peak_gpu_gb": peak_gpu_gb(),
    }  # fmt: skip


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Run with a clock."""
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


def repeat_shards(paths: list[Path], n_stars: int, folder: Path) -> list[Path]:
    """Shards of ``n_stars`` stars: the given ones again and again, the stars numbered on."""
    folder.mkdir(parents=True)
    made, star = [], 0
    while star < n_stars:
        with pa.memory_map(str(paths[len(made) % len(paths)])) as source:
            table = pa.ipc.open_file(source).read_all().slice(0, n_stars - star)
        numbers = pa.array(np.arange(star, star + table.num_rows))
        table = table.set_column(table.schema.get_field_index("star"), "star", numbers)
        made.append(folder / f"shard-{len(made):05d}.arrow")
        with pa.ipc.new_file(str(made[-1]), table.schema) as file:
            file.write_table(table)
        star += table.num_rows
    return made


def one_size(options: argparse.Namespace, work: Path) -> list[Row]:
    """Match, fit and write one survey; peak memory is that of this process."""
    keep_freed_memory()
    cfg, n_stars = composed([*SURVEY]), options.stars[0]
    shared, emulator = devices(cfg, options.accelerator), load_emulator(options.emulator)
    method = fitter(cfg, emulator)
    paths = repeat_shards(sorted(options.shards.glob("*.arrow")), n_stars, work / "shards")
    survey, matching = timed(lambda: match_survey(paths, method, shared, work / "match"))
    noise, estimating = timed(lambda: estimate_noise(survey, method, shared, work / "noise"))
    method = BatchFitter(emulator, method.settings, noise)
    parts, fitting = timed(
        lambda: fit_survey(survey, method, shared, work / "parts", options.batch_groups)
    )
    expected = np.arange(n_stars)
    table, merging = timed(
        lambda: merge_parts(parts, expected, emulator.label_names, work / "table")
    )
    schema = columns(emulator.label_names)
    _, writing = timed(lambda: write_parquet(work / "catalogue.parquet", table, schema, {}))
    seconds = {
        "match": matching, "fit, with the noise": estimating + fitting,
        "match and fit": matching + estimating + fitting, "merge and write": merging + writing,
    }  # fmt: skip
    seconds["match, fit, write"] = seconds["match and fit"] + seconds["merge and write"]
    return [row_of(stage, n_stars, n_stars / value) for stage, value in seconds.items()]


def packing(artefact: Path, n_stars: int, folder: Path) -> tuple[list[Path], Row]:
    """Mock spectra, made and packed."""
    cfg = composed([*SURVEY, f"data.n_stars={n_stars}"])
    emulator = load_emulator(artefact)
    reader, pack = build(cfg.data), build(cfg.pack)
    (paths, _), seconds = timed(
        lambda: pack.pack(reader, emulator.survey_preprocessor, emulator.flux_pca.good, folder)
    )
    size = sum(path.stat().st_size for path in paths) / n_stars
    stage = f"make and pack mock spectra ({size / 1000:.1f} kB a star)"
    return paths, row_of(stage, n_stars, n_stars / seconds)


def peers(artefact: Path, shards: list[Path], n_stars: int) -> list[Row]:
    """The same stars by scipy one by one, and by one package run per group of ten."""
    emulator = load_emulator(artefact)
    method = fitter(composed([*SURVEY, "metric=default"]), emulator)
    spectra = Shard(shards[0]).spectra(emulator.wave, np.arange(n_stars))
    problem, start, _ = problem_of(method, spectra, n_stars, 1)
    _, scipy = timed(lambda: CurveFit().minimise(problem, start))
    problem, start, _ = problem_of(method, spectra, 10, 1)
    equal = BayesianOptimisation(max_iterations=EVALUATIONS)
    _, package = timed(lambda: package_bo(problem, start, 1, equal))
    rates = {"scipy curve_fit, fit alone": n_stars / scipy, "bayesian-optimization": 10 / package}
    rows = [row_of(name, n_stars, rate) for name, rate in rates.items()]
    unknown = dict.fromkeys(("stars", "peak_rss_gb", "peak_gpu_gb"), float("nan"))
    return [*rows, {**row_of("LASP-Adam-GPU as published, an A100", 0, 397.0), **unknown}]


def main() -> None:
    """Run the benchmark; every size in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", type=Path, default=Path("outputs/train/mastar_mock/emulator"))
    parser.add_argument("--stars", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--unique", type=int, default=4096)
    parser.add_argument("--peer-stars", type=int, default=30)
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--batch-groups", type=int, default=20)
    parser.add_argument("--name", default="throughput")
    parser.add_argument("--shards", type=Path, help="run one size on these shards (internal)")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    if args.shards:
        with tempfile.TemporaryDirectory() as work:
            record(args.name, one_size(args, Path(work)))
        return
    rows = trained(args.emulator, args.accelerator)
    with tempfile.TemporaryDirectory() as folder:
        shards, row = packing(args.emulator, args.unique, Path(folder) / "shards")
        rows.append(row)
        for n_stars in args.stars:
            name = f"{args.name}_{n_stars}"
            command = [sys.executable, __file__, "--emulator", str(args.emulator), "--name", name]
            command += ["--stars", str(n_stars), "--shards", str(shards[0].parent)]
            command += ["--accelerator", args.accelerator]
            command += ["--batch-groups", str(args.batch_groups)]
            subprocess.run(command, check=True)
            rows += read_rows(name)
        rows += peers(args.emulator, shards, args.peer_stars)
        shutil.rmtree(folder, ignore_errors=True)
    record(args.name, rows)


def trained(artefact: Path, accelerator: str) -> list[Row]:
    """Train the emulator if it is not there; templates a second, of the whole program."""
    if artefact.exists():
        return []
    _, seconds = timed(lambda: artefact_of(artefact, accelerator))
    n_templates = len(load_emulator(artefact).library)
    return [row_of("train, with library and report", n_templates, n_templates / seconds)]


def read_rows(name: str) -> list[Row]:
    """Rows of a benchmark that has been recorded."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["rows"]


if __name__ == "__main__":
    main()
