"""The fits of a mock survey by one process and by several, one thread each.

    python benchmarks/devices.py --artefact outputs/train/miles/emulator --stars 20000

Rates are of the fits alone, from the first part written to the last: a process takes seconds to
start, which is nothing in a survey and much in a benchmark. The parts must be the same bytes.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import lightning
import torch

from record import record
from settings import build, composed, fitter
from torchfit.catalogue.parts import read_part
from torchfit.emulator.artefact import load_emulator
from torchfit.measure.fitter import BatchFitter
from torchfit.report.rows import Row
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import MatchedSurvey, match_survey


def matched(cfg, method: BatchFitter, folder: Path) -> MatchedSurvey:  # noqa: ANN001
    """Pack and match the survey of a configuration."""
    emulator = method.emulator
    paths, _ = build(cfg.pack).pack(
        build(cfg.data), emulator.preprocessor, emulator.flux_pca.good, folder / "shards"
    )
    return match_survey(paths, method, folder / "start")


def fit_with(
    n_processes: int,
    cfg,  # noqa: ANN001
    survey: MatchedSurvey,
    method: BatchFitter,
    folder: Path,
) -> tuple[Row, dict[str, bytes]]:
    """Fit a survey; its rate, and the parts."""
    cfg.trainer.devices = n_processes
    load, begin = os.getloadavg()[0], time.perf_counter()
    paths = fit_survey(survey, method, build(cfg.trainer), folder, cfg.batch_groups)
    seconds = time.perf_counter() - begin
    paths = sorted(paths, key=lambda path: path.stat().st_mtime_ns)
    n_stars = sum(len(read_part(path)) for path in paths[n_processes:])
    first, last = (paths[place].stat().st_mtime for place in (n_processes - 1, -1))
    row: Row = {
        "processes": n_processes,
        "stars": len(survey.stars),
        "stage_s": seconds,
        "spectra_per_s": n_stars / (last - first),
        "load_before": load,
    }
    return row, {path.name: path.read_bytes() for path in paths}


def main() -> None:
    """Compare numbers of processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--stars", type=int, default=20000)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("overrides", nargs="*", help="of the configuration, as optimise=lm")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # Of the processes that will be spawned.
    torch.set_num_threads(1)
    survey = ["data=lamost_mock", f"data.n_stars={options.stars}"]
    cfg = composed([*survey, "+batch_groups=8", *options.overrides])
    lightning.seed_everything(cfg.seed, verbose=False)
    trained = load_emulator(options.artefact)
    method = fitter(cfg, trained.at_resolution(build(cfg.data).lsf_fwhm_at(trained.wave)))
    rows, parts = [], []
    with tempfile.TemporaryDirectory() as folder:
        survey = matched(cfg, method, Path(folder))
        for n_processes in options.processes:
            place = Path(folder) / f"parts-{n_processes}"
            row, written = fit_with(n_processes, cfg, survey, method, place)
            rows.append(row)
            parts.append(written)
    for row, written in zip(rows, parts, strict=True):
        row["speed_up"] = row["spectra_per_s"] / rows[0]["spectra_per_s"]
        row["same_bytes"] = written == parts[0]
    record("devices", rows)


if __name__ == "__main__":
    main()
