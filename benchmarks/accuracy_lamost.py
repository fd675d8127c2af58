"""Accuracy on real LAMOST spectra against the labels of an index file.

    python benchmarks/accuracy_lamost.py --index FOLDER/index.csv

The index names files below its folder (``path``), with ``snrg``, ``teff``, ``logg``, ``fe_h`` and
``label_source``. The emulator is the one ``python train.py`` has written. Methods as in
``accuracy_miles.py`` and the preset of the survey, by release (first folder of the path) and
signal-to-noise ratio in g; then the default without each of its steps, or with one more
(``--ablation``).
"""

import argparse
from pathlib import Path

import lightning
import numpy as np
import pandas as pd
import torch

from record import record
from settings import build, composed, fitter
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import SpectrumError
from torchfit.match.start import start_labels
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.report.metrics import label_residuals
from torchfit.report.rows import Row
from torchfit.spectra import Spectra, Spectrum
from torchfit.surveys.lamost import LamostReader

ABLATION = {
    "without outlier clipping": ["metric.outliers=null"],
    "without continuum": ["metric.nuisance.continuum_degree=null"],
    "without velocity": ["metric.nuisance.velocity_sigma=null"],
    "without resolution matching": [],
    "constant resolving power": [],
    "without prior": ["metric.prior_strength=0"],
    "with broadening": ["metric.nuisance.broadening_sigma=0.5"],
    "with half the prior": ["metric.prior_strength=0.5"],
    "with 1 % noise floor": ["metric.noise_floor=0.01"],
    "unweighted": ["metric=paper"],
}
LABELS = ("teff", "logg", "fe_h")
MIN_SNR = (15, 30)
RESOLVING_POWER = 1800.0


def read(index: Path) -> tuple[pd.DataFrame, list[Spectrum]]:
    """The rows of the index that have labels and a readable spectrum."""
    reader = LamostReader(str(index.parent))
    table = pd.read_csv(index).dropna(subset=list(LABELS))
    spectra, kept = [], []
    for place, path in enumerate(table["path"]):
        try:
            spectra.append(reader.read(path))
            kept.append(place)
        except SpectrumError as error:
            print(f"left out: {error}")
    return table.iloc[kept].reset_index(drop=True), spectra


def measure(method: BatchFitter, spectra: Spectra, subclasses: list[str]) -> Measurement:
    """Measure all spectra, in the groups of the method."""
    start = method.match(spectra).start
    _, group = method.settings.grouping.order(subclasses, start.numpy())
    star = torch.arange(len(spectra))
    return method.measure(GroupBatch(star, torch.from_numpy(group), spectra))


def seen_by_lamost(emulator: Emulator, name: str) -> Emulator:
    """The emulator at the resolution of the survey, which two methods know otherwise."""
    lsf_fwhm = torch.full_like(emulator.wave, LamostReader.lsf_fwhm)
    others = {
        "without resolution matching": None,
        "constant resolving power": emulator.wave / RESOLVING_POWER,
    }
    return emulator.at_resolution(others.get(name, lsf_fwhm))


def rows_of(name: str, predicted: np.ndarray, table: pd.DataFrame) -> list[Row]:
    """Offsets and scatters by release and signal-to-noise ratio."""
    reference = table[list(LABELS)].to_numpy()
    release = table["path"].str.split("/").str[0]
    rows: list[Row] = []
    for this in sorted(release.unique()):
        for limit in MIN_SNR:
            here = ((release == this) & (table["snrg"] > limit)).to_numpy()
            found = label_residuals(predicted[here], reference[here], LABELS, reference[here, 0])
            rows += [
                {"release": this, "snr_g": f"> {limit}", "method": name, **row} for row in found
            ]
    return rows


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--paper-artefact", type=Path, default=Path("outputs/train/paper/emulator"))
    parser.add_argument("--name", default="accuracy_lamost")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("overrides", nargs="*", help="overrides of the default method")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    table, spectra = read(args.index)
    rows: list[Row] = []
    survey = ["data=lamost_dr10", f"data.root={args.index.parent}"]
    methods = {
        "default": (args.artefact, args.overrides),
        "survey": (args.artefact, [*args.overrides, *survey]),
    }
    if args.paper_artefact.exists():
        methods["paper"] = (args.paper_artefact, ["experiment=paper"])
    if args.ablation:
        methods |= {name: (args.artefact, [*args.overrides, *o]) for name, o in ABLATION.items()}
    for name, (artefact, overrides) in methods.items():
        cfg = composed([*overrides, "pack=lamost"])
        emulator = seen_by_lamost(load_emulator(artefact), name)
        method = fitter(cfg, emulator)
        batch = emulator.survey_preprocessor(spectra, build(cfg.pack).windows)
        measured = measure(method, batch, [spectrum.info.subclass for spectrum in spectra])
        rows += rows_of(name, measured.labels.numpy(), table)
        if name == "default":
            matches = method.match(batch)
            best = start_labels(matches.cfi, emulator.library.labels, 1)
            rows += rows_of("cfi", best.numpy(), table) + rows_of(
                "cfi5", matches.start.numpy(), table
            )
    record(args.name, rows)


if __name__ == "__main__":
    main()
