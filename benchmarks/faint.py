"""Faint stars: bias in units of the error, and coverage, by class and signal-to-noise ratio.

    python benchmarks/faint.py                       # mock stars, true labels known
    python benchmarks/faint.py --index FOLDER/index.csv   # real M and K7 stars of LAMOST as well

An emulator of the mock library measures mock LAMOST stars of every class, as a survey is measured
(``data=lamost_mock``), with the noise of LAMOST: M stars have a signal-to-noise ratio in g of a
fifth of that in i. Bins are of the ratio in i for M stars, in g for others. ``bias`` and
``scatter`` of the fit are over the median error; ``start`` is the scatter of the start labels over
the width of their prior. Methods: ``default``; ``narrow prior`` (``metric.start_scatter=null``: a
prior that knows no noise); ``unweighted match`` (``match.scatter=null``: that, and all pixels
alike).
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from accuracy_lamost import measure as measure_groups
from faint_stars import CLASSES, OneClass, Sample
from record import record
from settings import CONF, build, composed, fit_settings
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import SpectrumError
from torchfit.likelihood.noise import NodeNoise, NoiseShape, nearest_node
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.spectra import Spectra, Spectrum
from torchfit.surveys.lamost import LamostReader
from torchfit.uncertainty.fisher import MeasuredLabels
from torchfit.uncertainty.library_errors import LibraryErrors

AT_TEN = {"M": 7.3, "FGK dwarf": 21.0, "giant": 24.0, "A": 15.0, "OB": 12.5}
"""S/N at 6400 Angstrom at which stars of a class have one of 10 in g, M stars in i."""
METHODS = {
    "default": [],
    "narrow prior": ["metric.start_scatter=null"],
    "unweighted match": ["match.scatter=null"],
}
BINS = (5.0, 10.0, 30.0, 100.0)
SMALL = (
    "emulator.max_comp=60", "emulator.n_inducing=null", "emulator.samples.learn=500",
    "emulator.samples.held_out=null", "emulator.samples.folds=null",
)  # fmt: skip
UNFIT = 0b11
"""Flags of stars on the edge of the library and of fits that did not come to rest."""
FAINT_LABELS = ("path", "subclass", "snr_i", "teff_start", "teff", "logg", "e_teff", "cfi", "flags")


def train(n_library: int, folder: Path, overrides: Sequence[str] = ()) -> Path:
    """An emulator of the mock library."""
    subprocess.run(
        [sys.executable, "train.py", "emulator=mastar_mock", f"library.reader.n_stars={n_library}",
         *SMALL, *overrides, f"hydra.run.dir={folder}"], cwd=CONF.parent, check=True,
    )  # fmt: skip
    return folder / "emulator"


def survey_fitter(emulator: Emulator, overrides: list[str], spectra: Spectra) -> BatchFitter:
    """The fitter of a survey, which knows how the noise of its spectra runs."""
    cfg = composed(["match=components", "metric=common", *overrides])
    settings = fit_settings(cfg)
    start = BatchFitter(emulator, settings).match(spectra).start
    nodes = emulator.residuals.nodes
    node = nearest_node(nodes, start[:, 0])
    known = {n: NodeNoise.of(spectra[(node == n).nonzero()[:, 0]]) for n in node.unique().tolist()}
    return BatchFitter(emulator, settings, NoiseShape.of(nodes, len(emulator.wave), known))


def measured(fitter: BatchFitter, spectra: Spectra) -> Measurement:
    """Measure stars that need no groups."""
    star = torch.arange(len(spectra))
    return fitter.measure(GroupBatch(star, torch.zeros_like(star), spectra))


def start_pulls(fitter: BatchFitter, spectra: Spectra, truth: torch.Tensor) -> np.ndarray:
    """Errors of the start labels in units of the width of their prior."""
    emulator, start = fitter.emulator, fitter.match(spectra).start
    prior = fitter.likelihoods[-1].condense(spectra, start).objective.prior
    width = torch.linalg.inv(prior.precision).diagonal(dim1=1, dim2=2).sqrt()
    return ((prior.mean - emulator.scaler.to_unit(truth)) / width).numpy()


def judged(
    fitter: BatchFitter,
    spectra: Spectra,
    truth: torch.Tensor,
    snr: np.ndarray,
    errors: LibraryErrors,
) -> Iterator[Row]:
    """Rows of every bin and label."""
    found = measured(fitter, spectra)
    known = torch.from_numpy(snr)
    final = errors.calibrate(MeasuredLabels(found.labels, found.errors), known).total.numpy()
    difference = (found.labels - truth).numpy()
    pull = start_pulls(fitter, spectra, truth)
    good = (found.flags.numpy() & UNFIT == 0) & np.isfinite(final).all(axis=1)
    for low, high in itertools.pairwise(BINS):
        inside = good & (snr >= low) & (snr < high)
        for place, label in enumerate(fitter.emulator.label_names):
            error, off = final[inside, place], difference[inside, place]
            if len(off) > 5:
                size = float(np.median(error))
                yield {
                    "snr": f"{low:.0f}-{high:.0f}", "label": label, "n": len(off), "error": size,
                    "bias": float(np.median(off)) / size, "scatter": robust_sigma(off) / size,
                    "cover 68": 100 * float(np.mean(np.abs(off) < error)),
                    "start": robust_sigma(pull[inside, place]),
                }  # fmt: skip


def at_ten(trained: Emulator, errors: LibraryErrors, n_stars: int) -> Iterator[Row]:
    """What noise does to the labels of stars of S/N 10."""
    for kind, level in AT_TEN.items():
        noisy, quiet = (
            Sample.of(OneClass(n_stars, CLASSES[kind], level, 0.0, noise), trained, kind)
            for noise in (True, False)
        )
        fitter = survey_fitter(noisy.emulator, [], noisy.spectra)
        found, still = (measured(fitter, sample.spectra) for sample in (noisy, quiet))
        known = torch.from_numpy(noisy.snr)
        final = errors.calibrate(MeasuredLabels(found.labels, found.errors), known).total
        good = ((found.flags | still.flags) & UNFIT == 0) & final.isfinite().all(dim=1)
        size = final[good].median(dim=0).values
        shifts = found.labels - noisy.truth, found.labels - still.labels
        bias, by_noise = (shift[good].median(dim=0).values / size for shift in shifts)
        for place, label in enumerate(trained.label_names):
            yield {
                "class": kind, "snr": float(np.median(noisy.snr)), "label": label,
                "n": int(good.sum()), "error": float(size[place]),
                "bias": float(bias[place]), "by noise": float(by_noise[place]),
            }  # fmt: skip


def mock(trained: Emulator, errors: LibraryErrors, n_stars: int) -> Iterator[Row]:
    """All classes by all methods."""
    for kind, track in CLASSES.items():
        sample = Sample.of(OneClass(n_stars, track, 25.0), trained, kind)
        emulator, batch, truth, snr = sample.emulator, sample.spectra, sample.truth, sample.snr
        for method, overrides in METHODS.items():
            fitter = survey_fitter(emulator, overrides, batch)
            for row in judged(fitter, batch, truth, snr, errors):
                yield {"method": method, "class": kind, **row}


def real(artefact: Path, index: Path) -> list[Row]:
    """M and K7 stars of LAMOST above S/N 10 in i: where they start and end."""
    reader, table = LamostReader(str(index.parent)), pd.read_csv(index)
    red = table["subclass"].str.contains("M|K7", na=False) & (table["snri"] > 10)
    spectra: list[Spectrum] = []
    for path in table["path"][red]:
        try:
            spectra.append(reader.read(path))
        except SpectrumError as error:
            print(f"left out: {error}")
    if not spectra:
        return []
    trained = load_emulator(artefact)
    emulator = trained.at_resolution(torch.full_like(trained.wave, reader.lsf_fwhm))
    batch = emulator.survey_preprocessor(spectra, build(composed(["pack=lamost"]).pack).windows)
    rows: list[Row] = []
    for method, overrides in METHODS.items():
        fitter = BatchFitter(emulator, fit_settings(composed(overrides)))
        found = measure_groups(fitter, batch, [s.info.subclass for s in spectra])
        values = zip(
            [s.info.source for s in spectra],
            [s.info.subclass for s in spectra],
            [s.info.snr["i"] for s in spectra],
            found.start[:, 0].tolist(),
            *(found.labels[:, place].tolist() for place in (0, 1)),
            found.errors.total[:, 0].tolist(),
            found.cfi.tolist(),
            found.flags.tolist(),
            strict=True,
        )
        rows += [{"method": method} | dict(zip(FAINT_LABELS, row, strict=True)) for row in values]
    return rows


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=int, default=1500, help="spectra of the mock library")
    parser.add_argument("--survey", type=int, default=400, help="stars of every class")
    parser.add_argument("--mock-artefact", type=Path, help="emulator of a mock library, if made")
    parser.add_argument("--index", type=Path, nargs="*", default=[], help="LAMOST index files")
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("overrides", nargs="*", help="settings of the mock library's training")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        artefact = args.mock_artefact or train(args.library, Path(folder), args.overrides)
        trained, errors = load_emulator(artefact), LibraryErrors.load(artefact)
        record("faint", list(mock(trained, errors, args.survey)))
        record("faint_at_10", list(at_ten(trained, errors, args.survey)))
    if args.index:
        record("faint_real", [row for index in args.index for row in real(args.artefact, index)])


if __name__ == "__main__":
    main()
