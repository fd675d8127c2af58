"""Whether the errors of labels are honest: coverage of 68 % and 95 % intervals, and pulls.

    python benchmarks/intervals.py            # MILES, mock survey, repeats
    python benchmarks/intervals.py miles      # one of them

``miles``: five folds by star. Every star is measured by an emulator of the other folds, and its
error models are learned from stars in the other folds of another dealing, so that no star is judged
by what it has taught; also with noise added, as a survey would have it.
``mock``: an emulator of the mock library measures the mock survey, whose true labels are known.
``repeats``: the same survey, random errors learned from the repeats of one half of its stars and
judged on those of the other half. Errors: ``fisher`` as the fit expects them, ``calibrated``.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from record import record
from settings import CONF, build, composed, fit_settings
from torchfit.compare.repeats import visits_of
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.report.metrics import SPECTRAL_CLASSES, TeffRange, robust_sigma
from torchfit.report.rows import Row
from torchfit.run.held_out import measure_library
from torchfit.spectra import Spectra
from torchfit.uncertainty.added_noise import add_noise, learn_noise
from torchfit.uncertainty.calibration import calibrate
from torchfit.uncertainty.error_learning import folds_of
from torchfit.uncertainty.error_model import ErrorModel
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.uncertainty.repeats import Visits, learn_random, pair_repeats
from torchfit.uncertainty.survey_errors import Uncertainty, measured_labels
from torchfit.uncertainty.systematic import learn_systematic

ALL = TeffRange("all", 0.0, np.inf)
SAMPLES = ("miles", "mock", "repeats")
N_FOLDS = 5
SMALL = ("emulator.max_comp=60", "emulator.samples.held_out=null", "emulator.samples.folds=null")
"""Settings for a small library, all of whose stars are held out once."""
UNFIT = 0b11
"""Flags of stars on the edge of the library and of fits that did not come to rest."""


@dataclass(frozen=True)
class Judged:
    """Errors of labels in units of what was claimed.

    Args:
        sample: Name of the sample.
        errors: Name of the claim.
        labels: Names of the label axis.
        pull: Errors over their claimed standard deviations, star by label.
        teff: Temperature that puts a star into its class.
        wide: Errors over the claimed half-widths of the intervals that hold 95 %; ``None`` where
            1.96 standard deviations are claimed.
    """

    sample: str
    errors: str
    labels: tuple[str, ...]
    pull: np.ndarray
    teff: np.ndarray
    wide: np.ndarray | None = None

    def coverage(self) -> list[Row]:
        """Observed coverage in percent with its standard error, and pulls, by class and label."""
        return [
            {
                "sample": self.sample,
                "errors": self.errors,
                "class": kind.name,
                "label": label,
                "n": len(found),
                "cover 68": 100 * float(np.mean(np.abs(found) < 1)),
                "+-": 100 * float(np.sqrt(0.683 * 0.317 / len(found))),
                "cover 95": 100 * float(np.mean(np.abs(self._wide(place, kind)) < 1)),
                "within 1.96": 100 * float(np.mean(np.abs(found) < 1.96)),
                "pull mean": float(np.mean(np.clip(found, -10, 10))),
                "pull sigma": robust_sigma(found),
            }
            for kind in (*SPECTRAL_CLASSES, ALL)
            for place, label in enumerate(self.labels)
            if len(found := self._finite(place, kind)) > 1
        ]

    def histogram(self) -> list[Row]:
        """Shares of the pulls in bins of half a sigma, in percent; named by the lower edges."""
        edges = [-np.inf, *np.arange(-3, 3.25, 0.5), np.inf]
        return [
            {"sample": self.sample, "errors": self.errors, "label": label}
            | {
                f"{low:+.1f}": 100 * float(np.mean((found >= low) & (found < high)))
                for low, high in itertools.pairwise(edges)
            }
            for place, label in enumerate(self.labels)
            if len(found := self._finite(place, ALL))
        ]

    def _wide(self, place: int, kind: TeffRange) -> np.ndarray:
        wide = self.pull / 1.96 if self.wide is None else self.wide
        column = wide[kind.contains(self.teff), place]
        return column[np.isfinite(column)]

    def _finite(self, place: int, kind: TeffRange) -> np.ndarray:
        column = self.pull[kind.contains(self.teff), place]
        return column[np.isfinite(column)]


def noisy(spectra: Spectra, snr: float) -> Spectra:
    """Spectra with noise of a given level."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(spectra.flux.shape, generator=generator, dtype=torch.float64) / snr
    ivar = torch.where(spectra.good, snr**2, 0.0).to(spectra.ivar)
    flux = torch.where(spectra.good, spectra.flux + noise, spectra.flux)
    known = torch.ones(len(spectra), dtype=torch.bool)
    return replace(spectra, flux=flux, ivar=ivar, has_ivar=known)


class HeldOutMiles:
    """MILES stars, each measured by an emulator of the other folds."""

    def __init__(self) -> None:
        cfg = composed()
        preprocessor, training = build(cfg.preprocess), build(cfg.emulator)
        self.library: Library = build(cfg.library)(preprocessor=preprocessor)
        self.learning = build(cfg.uncertainty).learning
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "library.ckpt"
            whole = training.train(self.library, preprocessor, build(cfg.trainer), checkpoint)
        self.fold = folds_by_star(self.library.star_names, N_FOLDS, seed=0)
        self.settings = fit_settings(cfg)
        self.emulators: list[Emulator] = [
            training.with_hyperparameters(whole, self.library.select(self.fold != number))
            for number in range(N_FOLDS)
        ]

    def measure(self, spectra: Spectra) -> MeasuredLabels:
        """Measure spectra of all stars.

        Args:
            spectra: Of the library's stars, in its order.
        """
        observed = replace(self.library, spectra=spectra)
        labels, model, noise = (torch.full_like(self.library.labels, torch.nan) for _ in range(3))
        for number, emulator in enumerate(self.emulators):
            test = (self.fold == number).nonzero()[:, 0]
            found = measure_library(emulator, observed, test, self.settings)
            labels[test] = found.labels
            model[test], noise[test] = found.errors.model, found.errors.noise
        return MeasuredLabels(labels, LabelErrors(model, noise))

    def seen(self, noisy: Spectra) -> Spectra:
        """Noisy spectra normalised as a survey's are."""
        return self.emulators[0].preprocessor.normalised_again(noisy)

    def models(self, fold: torch.Tensor) -> list[tuple[ErrorModel, ErrorModel]]:
        """Error models for each fold, learned from the stars of all the others."""
        library, learning = self.library, self.learning
        quiet = self.measure(library.spectra)
        again = self.measure(self.seen(add_noise(library.spectra, seed=0)))
        names, inner = library.label_names, folds_of(library.star_names)
        return [
            (
                learn_systematic(learning, quiet[t], library.labels[t], inner[t], names),
                learn_noise(learning, quiet.labels[t], again[t], inner[t], names),
            )
            for t in (fold != number for number in range(N_FOLDS))
        ]


def miles() -> Iterator[Judged]:
    """Held-out MILES stars, as they are and with noise."""
    held_out = HeldOutMiles()
    library = held_out.library
    names, teff = library.label_names, library.labels[:, 0].numpy()
    fold = folds_by_star(library.star_names, N_FOLDS, seed=2)
    models = held_out.models(fold)
    unknown = torch.full((len(library),), torch.nan, dtype=torch.float64)
    for snr in (None, 50.0, 20.0, 10.0, 5.0):
        spectra = library.spectra
        measured = held_out.measure(spectra if snr is None else held_out.seen(noisy(spectra, snr)))
        final, wide = (torch.full_like(library.labels, torch.nan) for _ in range(2))
        for number, (systematic, noise) in enumerate(models):
            test = fold == number
            own = calibrate(measured[test], unknown[test], systematic, (noise,))
            final[test], wide[test] = own.total, own.wide
        sample = "MILES" if snr is None else f"MILES S/N {snr:.0f}"
        difference = measured.labels - library.labels
        yield Judged(sample, "fisher", names, (difference / measured.errors.total).numpy(), teff)
        pull, wide_pull = (difference / final).numpy(), (difference / wide).numpy()
        yield Judged(sample, "calibrated", names, pull, teff, wide_pull)


def run(program: str, *overrides: str) -> None:
    """Run a command of torchfit from the folder of its configuration."""
    subprocess.run([sys.executable, f"{program}.py", *overrides], cwd=CONF.parent, check=True)


def mock_survey(
    n_library: int, n_survey: int, folder: Path
) -> tuple[pd.DataFrame, Emulator, LibraryErrors]:
    """The mock survey measured with an emulator of the mock library; errors as expected."""
    train, infer = folder / "train", folder / "infer"
    run(
        "train", "emulator=mastar_mock", f"library.reader.n_stars={n_library}", *SMALL,
        f"hydra.run.dir={train}",
    )  # fmt: skip
    run(
        "infer", "emulator=mastar_mock", *SMALL, f"artefact={train / 'emulator'}",
        "data=lamost_mock", f"data.n_stars={n_survey}", "data.repeats=0.3",
        f"hydra.run.dir={infer}", "uncertainty.random=null", "uncertainty.library=false",
    )  # fmt: skip
    artefact = train / "emulator"
    table = pd.read_parquet(infer / "catalogue.parquet")
    return table, load_emulator(artefact), LibraryErrors.load(artefact)


def signal_to_noise(table: pd.DataFrame) -> np.ndarray:
    """Signal-to-noise ratio in the band of the class."""
    return build(composed().flags).survey.snr.ratio(table)


def mock(table: pd.DataFrame, emulator: Emulator, models: LibraryErrors) -> Iterator[Judged]:
    """The mock survey against its true labels; random errors without and with its repeats."""
    names, snr = emulator.label_names, signal_to_noise(table)
    truth = table[[f"{name}_lit" for name in names]].to_numpy()
    difference = table[list(names)].to_numpy() - truth
    claims = {
        "fisher": table,
        "calibrated, no repeats": Uncertainty(random=None, intervals=True)
        .calibrate(table, names, models, snr)
        .table,
        "calibrated": Uncertainty(intervals=True).calibrate(table, names, models, snr).table,
    }
    good = (table["flags"] & UNFIT == 0).to_numpy()
    for claim, errors in claims.items():
        pull = difference / errors[[f"e_{name}" for name in names]].to_numpy()
        wide = pull / 1.96
        if claim != "fisher":
            upper = errors[[f"{name}_upper95" for name in names]].to_numpy()
            wide = difference / (upper - errors[list(names)].to_numpy())
        yield Judged("mock", claim, names, pull[good], truth[good, 0], wide[good])
        for low, high in itertools.pairwise((0.0, 10.0, 20.0, 40.0, np.inf)):
            inside = good & (snr >= low) & (snr < high)
            sample = f"mock S/N {low:.0f}-{high:.0f}"
            yield Judged(sample, claim, names, pull[inside], truth[inside, 0], wide[inside])


def repeats(table: pd.DataFrame, emulator: Emulator, models: LibraryErrors) -> Iterator[Judged]:
    """Differences of repeats; random errors by the repeats of the other half of the stars."""
    names, snr = emulator.label_names, signal_to_noise(table)
    visits = visits_of(table, snr)
    measured = measured_labels(table.iloc[visits.row], names)
    learning = build(composed().uncertainty).learning
    half = folds_by_star(visits.star.tolist(), 2, 0).numpy()
    pulls: dict[str, list[np.ndarray]] = {"fisher": [], "calibrated": []}
    teff = []
    for number in (0, 1):
        taught, test = np.flatnonzero(half != number), np.flatnonzero(half == number)
        model = learn_random(learning, *some(visits, measured, taught), names)
        own, at = some(visits, measured, test)
        final = calibrate(at, torch.from_numpy(own.snr), None, () if model is None else (model,))
        first, second = torch.from_numpy(pair_repeats(own, learning.snr_tolerance)).unbind(dim=1)
        difference = at.labels[first] - at.labels[second]
        for claim, size in (("fisher", at.errors.noise), ("calibrated", final.random)):
            pulls[claim].append((difference / torch.hypot(size[first], size[second])).numpy())
        teff.append(at.labels[first, 0].numpy())
    for claim, parts in pulls.items():
        yield Judged("repeats", claim, names, np.concatenate(parts), np.concatenate(teff))


def some(
    visits: Visits, measured: MeasuredLabels, rows: np.ndarray
) -> tuple[Visits, MeasuredLabels]:
    """Some observations."""
    few = Visits(visits.star[rows], visits.exposure[rows], visits.snr[rows], visits.row[rows])
    return few, measured[torch.from_numpy(rows)]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", nargs="*", help=f"some of {', '.join(SAMPLES)}; all by default")
    parser.add_argument("--library", type=int, default=2000, help="spectra of the mock library")
    parser.add_argument("--survey", type=int, default=4000, help="spectra of the mock survey")
    args = parser.parse_args()
    samples = args.samples or SAMPLES
    if unknown := set(samples) - set(SAMPLES):
        parser.error(f"no such sample: {', '.join(unknown)}")
    found = list(miles()) if "miles" in samples else []
    if {"mock", "repeats"} & set(samples):
        with tempfile.TemporaryDirectory() as folder:
            survey = mock_survey(args.library, args.survey, Path(folder))
        for name, judge in (("mock", mock), ("repeats", repeats)):
            found += judge(*survey) if name in samples else []
    record("intervals", [row for each in found for row in each.coverage()])
    record("coverage_pulls", [row for each in found for row in each.histogram()])


if __name__ == "__main__":
    main()
