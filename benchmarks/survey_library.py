"""A library made of a mock survey: trained on, and measured with, against the emulator before it.

    python benchmarks/survey_library.py --emulator outputs/train/mastar_mock/emulator

By the commands a user types: a mock survey is measured with the emulator given, its good stars
become a library (``torchfit library``), an emulator is trained on that, and other mock stars, which
neither has seen, are measured with both. The labels of the mock are the truth. The second emulator
knows labels only as the first has measured them: it can be nearer to the truth only by what
coadding gains.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from record import record
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row

LABELS = ("teff", "logg", "fe_h", "alpha_fe")
RANGE = (4500.0, 7000.0)
QUIET = ["catalogue.formats=[parquet]", "pack.workers=1"]


def torchfit(program: str, folder: Path, *words: str) -> Path:
    """Run a program; its results are in the folder."""
    command = [sys.executable, "-m", "torchfit", program, *words, f"hydra.run.dir={folder}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def residual_rows(emulator: str, catalogue: pd.DataFrame, inside: np.ndarray) -> list[Row]:
    """Measured less true labels of stars without a serious flag."""
    rows: list[Row] = []
    for name in LABELS:
        if name in catalogue:
            difference = (catalogue[name] - catalogue[f"{name}_lit"])[inside].dropna()
            rows.append(
                {
                    "emulator": emulator, "label": name, "stars": len(difference),
                    "median": float(difference.median()), "scatter": robust_sigma(difference),
                    "median_rchi2": float(catalogue["rchi2"][inside].median()),
                }
            )  # fmt: skip
    return rows


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", default="outputs/train/mastar_mock/emulator")
    parser.add_argument("--stars", type=int, default=4000)
    parser.add_argument("--test-stars", type=int, default=1000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        survey = [f"artefact={args.emulator}", "data=lamost_mock", *QUIET]
        measured = torchfit(
            "infer", work / "survey", *survey, f"data.n_stars={args.stars}",
            "catalogue=recommended", "products=[models]",
        )  # fmt: skip
        library = torchfit(
            "library", work / "library", f"results={measured}", "library.bins.min_stars=3",
            "library.bins.alpha_fe=0.2",
        )  # fmt: skip
        table = pd.read_parquet(library / "library.parquet")
        n_labels = sum(name in table for name in LABELS)
        rows: list[Row] = [
            {"templates": len(table), "stars": int(table["n_stars"].sum()), "labels": n_labels,
             "snr_star": float(table["snr_star"].median()), "snr": float(table["snr"].median())}
        ]  # fmt: skip
        record("survey_library_templates", rows)
        wave = table["wave"][0]
        words = ["library.reader.medium=vacuum"]
        if "alpha_fe" in table:
            words.append("+library.reader.labels.alpha_fe=alpha_fe")
        trained = torchfit(
            "train", work / "train", "emulator=table", f"library.reader.path={library}", *words,
            f"preprocess.wave_min={wave[0]}", f"preprocess.wave_max={wave[-1]}",
        )  # fmt: skip
        others = ["data=lamost_mock", f"data.n_stars={args.test_stars}", "data.seed=77", *QUIET]
        artefacts = {"given": args.emulator, "of the survey": trained / "emulator"}
        catalogues = {
            name: pd.read_parquet(
                torchfit("infer", work / f"test {place}", f"artefact={path}", *others)
                / "catalogue.parquet",
                partitioning=None,
            ).set_index("star")
            for place, (name, path) in enumerate(artefacts.items())
        }
        first = catalogues["given"]
        common = first.index.intersection(catalogues["of the survey"].index)
        inside = first.loc[common, "teff_lit"].between(*RANGE).to_numpy()
        record(
            "survey_library",
            [r for n, c in catalogues.items() for r in residual_rows(n, c.loc[common], inside)],
        )


if __name__ == "__main__":
    main()
