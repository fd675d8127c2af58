"""Matching and fits of a mock survey by one process and by several, one thread each.

    python benchmarks/devices.py --artefact outputs/train/miles/emulator --stars 20000
    python benchmarks/devices.py --accelerator gpu --processes 1

Rates are of the computation alone, from the first file written to the last: a process takes seconds
to start, which is nothing in a survey and much in a benchmark. The files must be the same bytes.
Without an emulator one is trained first, which needs the package index for the MILES library.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import lightning
import torch

from record import record
from settings import artefact_of, build, composed, devices, fitter
from torchfit.catalogue.parts import read_part
from torchfit.emulator.artefact import load_emulator
from torchfit.measure.fitter import BatchFitter
from torchfit.report.rows import Row
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey, start_path
from torchfit.survey.noise import estimate_noise
from torchfit.survey.shards import Shard


def rate(stars_of: dict[Path, int], n_processes: int) -> float:
    """Stars a second, from the first file of every process to the last file of all."""
    paths = sorted(stars_of, key=lambda path: path.stat().st_mtime_ns)
    first, last = (paths[place].stat().st_mtime for place in (n_processes - 1, -1))
    return sum(stars_of[path] for path in paths[n_processes:]) / (last - first)


def measure(
    shards: list[Path], method: BatchFitter, shared: Devices, n_processes: int, folder: Path
) -> tuple[list[Row], dict[str, bytes]]:
    """Match and fit a survey; the rates, and the files."""
    load, begin = os.getloadavg()[0], time.perf_counter()
    survey = match_survey(shards, method, shared, folder / "start")
    matched = time.perf_counter()
    noise = estimate_noise(survey, method, shared, folder / "noise")
    parts = fit_survey(
        survey, BatchFitter(method.emulator, method.settings, noise), shared, folder / "parts", 8
    )
    ended = time.perf_counter()
    starts = {start_path(folder / "start", path): len(Shard(path)) for path in shards}
    fits = {path: len(read_part(path)) for path in parts}
    rows: list[Row] = [
        {
            "stage": stage, "processes": n_processes, "stars": len(survey.stars),
            "stage_s": seconds, "spectra_per_s": rate(files, n_processes), "load_before": load,
        }
        for stage, seconds, files in [
            ("match", matched - begin, starts), ("noise and fit", ended - matched, fits)
        ]
    ]  # fmt: skip
    return rows, {path.name: path.read_bytes() for path in (*starts, *fits)}


def main() -> None:
    """Compare numbers of processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--stars", type=int, default=20000)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("overrides", nargs="*", help="of the configuration, as optimise=lm")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # Of the processes that will be spawned.
    torch.set_num_threads(1)
    survey = ["data=lamost_mock", f"data.n_stars={options.stars}"]
    cfg = composed([*survey, *options.overrides])
    lightning.seed_everything(cfg.seed, verbose=False)
    trained = load_emulator(artefact_of(options.artefact, options.accelerator))
    method = fitter(cfg, trained.at_resolution(build(cfg.data).lsf_fwhm_at(trained.wave)))
    emulator, rows, files = method.emulator, [], []
    with tempfile.TemporaryDirectory() as folder:
        shards, _ = build(cfg.pack).pack(
            build(cfg.data),
            emulator.survey_preprocessor,
            emulator.flux_pca.good,
            Path(folder, "shards"),
        )
        for n_processes in options.processes:
            shared = devices(cfg, options.accelerator, n_processes)
            place = Path(folder, str(n_processes))
            found, written = measure(shards, method, shared, n_processes, place)
            rows += found
            files.append(written)
    for number, row in enumerate(rows):
        row["speed_up"] = row["spectra_per_s"] / rows[number % 2]["spectra_per_s"]
        row["same_bytes"] = files[number // 2] == files[0]
    record("devices", rows)


if __name__ == "__main__":
    main()
