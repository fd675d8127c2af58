"""What model spectra of a survey cost: bytes and time a star, and memory.

    python benchmarks/models.py --emulator outputs/train/miles/emulator

Mock spectra of LAMOST are packed, matched and fitted, as ``infer.py data=lamost_mock`` does it, for
two sizes; then ``products=[models]`` is written in both formats, and read back. The peer, in the
same run: the arrays alone, in single precision, as numpy writes them. Every size is in a process of
its own, so that its memory is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightning
import numpy as np

from record import FOLDER, record
from settings import build, composed, fitter
from throughput import peak_gb
from torchfit.catalogue.merge import merge_parts
from torchfit.emulator.artefact import load_emulator
from torchfit.files.model_reader import read_models
from torchfit.files.model_spectra import PIXELS
from torchfit.products.measured import MeasuredSurvey
from torchfit.products.models import ModelProduct
from torchfit.report.rows import Row
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey

SURVEY = ["data=lamost_mock", "metric=common", "match=components", "optimise=[lm]"]


def measured(artefact: Path, n_stars: int, folder: Path) -> MeasuredSurvey:
    """A mock survey, measured."""
    cfg = composed([*SURVEY, f"data.n_stars={n_stars}"])
    reader, trained = build(cfg.data), load_emulator(artefact)
    emulator = trained.at_resolution(reader.lsf_fwhm_at(trained.wave))
    paths, _ = build(cfg.pack).pack(
        reader, emulator.survey_preprocessor, emulator.flux_pca.good, folder / "shards"
    )
    method = fitter(cfg, emulator)
    one = Devices(build(cfg.trainer))
    survey = match_survey(paths, method, one, folder / "start")
    parts = fit_survey(survey, method, one, folder / "parts", batch_groups=20)
    star = survey.stars["star"].to_numpy()
    table = merge_parts(parts, star, emulator.label_names, folder / "table")
    return MeasuredSurvey(survey.packed, star, table, emulator, method.settings.metric)


def one_size(artefact: Path, n_stars: int, folder: Path) -> list[Row]:
    """Write and read the product of one survey in every format, and by numpy."""
    survey = measured(artefact, n_stars, folder)
    before, rows = peak_gb(), []
    for format in ("parquet", "fits", "numpy"):
        begin, place = time.perf_counter(), folder / format
        if format == "numpy":
            place.mkdir()
            spectra = read_models(folder / "parquet" / "parquet" / "part-000000.parquet")
            begin = time.perf_counter()
            for name in PIXELS:
                np.save(place / f"part-{name}", getattr(spectra, name))
            count = len(spectra)
        else:
            ModelProduct((format,)).write(survey, place, {})
            count = len(survey.star)
        written = time.perf_counter() - begin
        begin = time.perf_counter()
        if format == "numpy":
            [np.load(path) for path in place.iterdir()]
        else:
            for part in sorted((place / format).iterdir()):
                read_models(part)
        seconds = time.perf_counter() - begin
        size = sum(path.stat().st_size for path in place.rglob("part-*"))
        rows.append(
            {
                "format": format, "stars": count, "kB_a_star": size / count / 1000,
                "write_s_per_1000": 1000 * written / count,
                "read_s_per_1000": 1000 * seconds / count,
                "peak_gb_before": before, "peak_gb": peak_gb(),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--stars", type=int, nargs="+", default=[2000, 8000])
    parser.add_argument("--alone", action="store_true", help="one size, in this process")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    if args.alone:
        with tempfile.TemporaryDirectory() as folder:
            record(f"models_{args.stars[0]}", one_size(args.emulator, args.stars[0], Path(folder)))
        return
    rows: list[Row] = []
    for n_stars in args.stars:
        command = [sys.executable, __file__, "--emulator", str(args.emulator), "--alone"]
        subprocess.run([*command, "--stars", str(n_stars)], check=True)
        rows += json.loads((FOLDER / f"models_{n_stars}.json").read_text(encoding="utf-8"))["rows"]
    record("models", rows)


if __name__ == "__main__":
    main()
