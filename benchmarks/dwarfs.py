"""How far dwarfs, metal-poor ones above all, come out from their labels, and whose doing it is.

    python benchmarks/dwarfs.py --emulator outputs/train/miles/emulator

``MILES held out``: every star measured by an emulator of the other four folds (hyperparameters of
the whole), against its published labels: the scale of the library cancels, and what is left is what
matching, prior, emulator and thin coverage do. ``mock``: a mock library of the labels of MILES, its
stars observed as those of MaStar, and a survey of mock dwarfs and giants at S/N 50, against the
truth; ``noisy labels``: the library's labels have the errors of published ones
(1.2 %, 0.1 and 0.07 dex). Methods: ``default``, ``no prior``, and as the peer ``cfi5``, the mean
labels of the five most similar templates. Bins are of true (published) labels; ``+-`` is the error
of the median.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import lightning
import numpy as np
import torch
from jaxtyping import Float

from record import record
from settings import artefact_of, build, composed, fit_settings
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.mock.mastar import MockMastarReader
from torchfit.mock.population import MockStar, main_sequence_logg
from torchfit.names import LABELS
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.run.held_out import measure_library

Labels = Float[np.ndarray, "star label"]
METHODS = {"default": [], "no prior": ["metric.prior_strength=0"]}
DWARF, GIANT = 3.8, 3.5
FE_H = {"all": (-9.0, 9.0), "> -0.5": (-0.5, 9.0), "-1 to -0.5": (-1.0, -0.5), "< -1": (-9.0, -1.0)}
LIBRARY_SNR, SURVEY_SNR = 110.0, 50.0
SURVEY = ["emulator=miles", "library.audit=null"]


@dataclass(frozen=True, eq=False)
class Listed:
    """A population of given labels: star i has those of row i.

    Args:
        labels: Teff, log g, [Fe/H] and [alpha/Fe].
        snr: Signal-to-noise ratio of all.
    """

    labels: Labels
    snr: float

    def draw(self, seed: int, number: int) -> MockStar:
        """The star of a number, at rest and without extinction; after the last the first again."""
        row = self.labels[number % len(self.labels)]
        labels = dict(zip(LABELS, row.tolist(), strict=True))
        return MockStar(number, labels, ra=0.0, dec=0.0, z=0.0, ebv=0.0, snr=self.snr)


class ListedReader(MockMastarReader):
    """Mock spectra of stars of given labels, observed as those of MaStar.

    Args:
        labels: Teff, log g, [Fe/H] and [alpha/Fe].
        snr: Signal-to-noise ratio.
        seed: Of noise and of the errors of published labels.
        label_error: Scale of these errors.
    """

    def __init__(self, labels: Labels, snr: float, seed: int, label_error: float = 0.0) -> None:
        super().__init__(len(labels), seed, 0.0, label_error)
        self.survey = replace(self.survey, population=Listed(labels, snr))


def with_alpha(labels: Labels, rng: np.random.Generator) -> Labels:
    """Labels and the [alpha/Fe] that stars of the Galaxy have at their [Fe/H]."""
    usual = np.interp(labels[:, 2], [-1.0, 0.0, 0.5], [0.28, 0.02, 0.0])
    return np.column_stack([labels, usual + 0.05 * rng.normal(size=len(labels))])


def survey_labels(n_stars: int, rng: np.random.Generator) -> Labels:
    """FG dwarfs and giants, [Fe/H] from -2.2 to 0.3."""
    fe_h = rng.uniform(-2.2, 0.3, 2 * n_stars)
    teff = rng.uniform(5200, 6600, n_stars)
    logg = [main_sequence_logg(each) for each in teff] - rng.exponential(0.12, n_stars)
    of_giant = rng.uniform(1.2, 3.2, n_stars)
    giant = 4800 + 370 * (of_giant - 2.5) - 250 * fe_h[n_stars:] + rng.normal(0, 80, n_stars)
    dwarfs, giants = np.column_stack([teff, logg]), np.column_stack([giant, of_giant])
    return with_alpha(np.column_stack([np.concatenate([dwarfs, giants]), fe_h]), rng)


def binned(sample: str, method: str, found: Labels, truth: Labels) -> Iterator[Row]:
    """Median difference, its error, and robust scatter, by kind of star and [Fe/H]."""
    teff, logg, fe_h = truth.T
    kinds = {
        "FG dwarfs": (logg > DWARF) & (teff > 5000) & (teff < 7000),
        "K dwarfs": (logg > DWARF) & (teff > 4000) & (teff <= 5000),
        "GK giants": (logg < GIANT) & (teff > 4000) & (teff < 5700),
    }
    for kind, here in kinds.items():
        for name, (low, high) in FE_H.items():
            off = (found - truth)[here & (fe_h >= low) & (fe_h < high)]
            if len(off) < 5:
                continue
            row: dict[str, str | int | float] = {
                "sample": sample, "method": method, "stars": kind, "[Fe/H]": name, "n": len(off)
            }  # fmt: skip
            for label, column in zip(("T", "g", "Fe"), off.T, strict=True):
                sigma = robust_sigma(column)
                row[label] = float(np.median(column))
                row[f"+- {label}"] = 1.25 * sigma / len(off) ** 0.5
                row[f"sigma {label}"] = sigma
            yield row


class HeldOut:
    """Library stars and the emulators of five folds that have not seen them.

    Args:
        emulator: Gives library, preprocessing and hyperparameters.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.library = emulator, emulator.library
        self.fold = folds_by_star(self.library.star_names, 5, 0)

    @cached_property
    def emulators(self) -> list[Emulator]:
        """One for each fold."""
        training = build(composed(SURVEY).emulator)
        others = [self.library.select(self.fold != number) for number in range(5)]
        return [training.with_hyperparameters(self.emulator, other) for other in others]

    def rows(self) -> Iterator[Row]:
        """Rows of every method."""
        truth = self.library.labels.numpy()
        for method, overrides in METHODS.items():
            settings = fit_settings(composed([*SURVEY, *overrides]))
            found, start = np.full_like(truth, np.nan), np.full_like(truth, np.nan)
            for number, emulator in enumerate(self.emulators):
                test = (self.fold == number).nonzero()[:, 0]
                here = measure_library(emulator, self.library, test, settings)
                found[test], start[test] = here.labels.numpy(), here.start.numpy()
            if method == "default":
                yield from binned("MILES held out", "cfi5", start, truth)
            yield from binned("MILES held out", method, found, truth)


def trained(library: Library) -> Emulator:
    """An emulator of a library with the settings of MILES."""
    cfg = composed(SURVEY)
    with tempfile.TemporaryDirectory() as folder:
        return build(cfg.emulator).train(
            library, build(cfg.preprocess), build(cfg.trainer), Path(folder) / "mock.ckpt"
        )


def mock_rows(labels: Labels, n_stars: int, label_error: float) -> Iterator[Row]:
    """Rows of a mock library that has these labels, and a survey measured with it.

    Args:
        labels: Teff, log g and [Fe/H] of the library.
        n_stars: Dwarfs of the survey, and giants.
        label_error: Scale of the errors of the library's labels.
    """
    rng = np.random.default_rng(0)
    reader = ListedReader(with_alpha(labels, rng), LIBRARY_SNR, 0, label_error)
    cfg = composed(SURVEY)
    preprocessor = build(cfg.preprocess)
    emulator = trained(build(cfg.library)(reader=reader, preprocessor=preprocessor))
    truth = survey_labels(n_stars, rng)
    stars = ListedReader(truth, SURVEY_SNR, 1)
    read = [stars.read(source) for source in stars.sources()]
    # A library that is measured is a survey.
    survey = Library(
        preprocessor(read), torch.from_numpy(truth[:, :3]), emulator.label_names,
        tuple(spectrum.info.name for spectrum in read), emulator.library.lsf_fwhm, {},
    )  # fmt: skip
    sample = "mock, noisy labels" if label_error else "mock"
    for method, overrides in METHODS.items():
        settings = fit_settings(composed([*SURVEY, *overrides]))
        found = measure_library(emulator, survey, torch.arange(len(survey)), settings)
        if method == "default":
            yield from binned(sample, "cfi5", found.start.numpy(), truth[:, :3])
        yield from binned(sample, method, found.labels.numpy(), truth[:, :3])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--stars", type=int, default=400, help="mock dwarfs, and mock giants")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    emulator = load_emulator(artefact_of(args.emulator))
    rows = list(HeldOut(emulator).rows())
    for label_error in (0.0, 1.0):
        rows += mock_rows(emulator.library.labels.numpy(), args.stars, label_error)
    record("dwarfs", rows)


if __name__ == "__main__":
    main()
