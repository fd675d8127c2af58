"""torchfit beside other ways from spectra to labels, on the same folds by star of MILES.

    python benchmarks/peers.py
    python benchmarks/peers.py --methods knn,cannon,default

``default``, ``paper``, ``cfi5``: our presets (cfi5 is the mean of the five best matches). The
others are those of ``peer_models.py``; they get the same normalised flux, scaled labels, and the
start labels of cfi5. Printed are bias and robust scatter by class, coverage of the errors that a
method has (ours are those of the catalogue, learned from the other stars), and processor time of
all folds.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time

import lightning
import numpy as np
import torch

from peer_models import PEERS, Fold
from record import record
from settings import build, composed, fit_settings
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.library.scaling import LabelScaler
from torchfit.match.cfi import correlate
from torchfit.match.start import start_labels
from torchfit.report.metrics import SPECTRAL_CLASSES, robust_sigma
from torchfit.report.rows import Row
from torchfit.run.audit import audited_emulator
from torchfit.run.held_out import measure_library
from torchfit.spectra import Spectra
from torchfit.uncertainty.cross_fitting import cross_fitted_errors
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels

PRESETS = {"default": [], "paper": ["experiment=paper"]}
METHODS = ("cfi5", *PEERS, *PRESETS)


def common_pixels(spectra: Spectra) -> np.ndarray:
    """Pixels that nearly all spectra have."""
    return (spectra.good.double().mean(dim=0) > 0.95).numpy()


def fold_of(train: Library, seen: Spectra, common: np.ndarray, scaler: LabelScaler) -> Fold:
    """The arrays of training stars and of spectra to measure, in the pixels they have in common."""
    flux, good = train.spectra.flux.numpy()[:, common], train.spectra.good.numpy()[:, common]
    mean = np.average(flux, axis=0, weights=good)
    matched = start_labels(correlate(seen, train.spectra), train.labels, 5)
    return Fold(
        np.where(good, flux, mean),
        scaler.to_unit(train.labels).numpy(),
        np.where(seen.good.numpy()[:, common], seen.flux.numpy()[:, common], mean),
        scaler.to_unit(matched).numpy(),
        _kind(train.labels),
        _kind(matched),
    )


def _kind(labels: torch.Tensor) -> np.ndarray:
    """Number of the spectral class by temperature."""
    edges = [each.high for each in SPECTRAL_CLASSES[:-1]]
    return np.searchsorted(edges, labels[:, 0].numpy(), side="right")


class Contest:
    """All methods on the same folds."""

    def __init__(self, n_folds: int) -> None:
        cfg = composed()
        self.library: Library = build(cfg.library)(preprocessor=build(cfg.preprocess))
        self.fold = folds_by_star(self.library.star_names, n_folds, 0)
        self.n_folds = n_folds

    def run(self, method: str) -> tuple[MeasuredLabels, float]:
        """Labels of all stars, each by what was learned from the other folds, and seconds."""
        library = self.library
        labels, model, noise = (torch.full_like(library.labels, torch.nan) for _ in range(3))
        seconds = 0.0
        for number in range(self.n_folds):
            test = (self.fold == number).nonzero()[:, 0]
            train = library.select(self.fold != number)
            begun = process_time()
            found = self._preset(method, train, test) if method in PRESETS else None
            found = found or self._peer(method, train, test)
            seconds += process_time() - begun
            labels[test], model[test], noise[test] = found
        return MeasuredLabels(labels, LabelErrors(model, noise)), seconds

    def _preset(
        self, method: str, train: Library, test: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        cfg = composed(PRESETS[method])
        training, settings = build(cfg.emulator), fit_settings(cfg)
        if cfg.library.audit is None:
            train = replace(train, audit=None)
        with tempfile.TemporaryDirectory() as folder:
            emulator = training.train(
                train, build(cfg.preprocess), build(cfg.trainer), Path(folder) / "fold.ckpt"
            )
        learning = build(cfg.uncertainty).learning
        emulator, _ = audited_emulator(emulator, training, settings, learning)
        found = measure_library(emulator, self.library, test, settings)
        return found.labels, found.errors.model, found.errors.noise

    def _peer(
        self, method: str, train: Library, test: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        scaler = LabelScaler.fit(train.labels)
        common = common_pixels(self.library.spectra)
        fold = fold_of(train, self.library.spectra[test], common, scaler)
        unit, errors = (fold.start, None) if method == "cfi5" else PEERS[method](fold)
        labels = torch.from_numpy(np.asarray(unit, dtype=np.float64))
        unknown = torch.full_like(labels, torch.nan)
        size = unknown if errors is None else torch.from_numpy(errors) * scaler.scale(labels)
        return scaler.from_unit(labels), size, torch.zeros_like(size)

    def errors(self, method: str, found: MeasuredLabels) -> torch.Tensor:
        """The errors a method states: ours as in the catalogue, learned from the other stars."""
        if method not in PRESETS:
            return found.errors.model
        learning = build(composed(PRESETS[method]).uncertainty).learning
        library = self.library
        names, stars = library.label_names, library.star_names
        return cross_fitted_errors(learning, found, library.labels, stars, names)

    def rows(self, method: str) -> list[Row]:
        """Accuracy, coverage and time of a method by class and label."""
        found, seconds = self.run(method)
        difference = (found.labels - self.library.labels).numpy()
        pull = difference / self.errors(method, found).numpy()
        rows: list[Row] = []
        for kind in SPECTRAL_CLASSES:
            inside = kind.contains(self.library.labels[:, 0].numpy())
            row: dict[str, str | int | float] = {
                "method": method, "class": kind.name, "n": int(inside.sum())
            }  # fmt: skip
            for place, name in enumerate(("T", "g", "Fe")):
                error, own = difference[inside, place], pull[inside, place]
                known = np.isfinite(own)
                row[f"bias {name}"] = float(np.median(error))
                row[f"sigma {name}"] = robust_sigma(error)
                row[f"68 {name}"] = _percent(np.abs(own[known]) < 1)
                row[f"95 {name}"] = _percent(np.abs(own[known]) < 1.96)
            rows.append(row | {"cpu s": seconds})
        return rows


def _percent(covered: np.ndarray) -> float:
    return 100 * float(covered.mean()) if covered.size else float("nan")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--methods", default=",".join(METHODS))
    args = parser.parse_args()
    methods = args.methods.split(",")
    if unknown := set(methods) - set(METHODS):
        parser.error(f"no such method: {', '.join(sorted(unknown))}")
    lightning.seed_everything(0, verbose=False)
    contest, rows = Contest(args.folds), []
    for method in methods:
        rows += contest.rows(method)
        # What is there stays, should a later method be cut short.
        record("peers", rows)


if __name__ == "__main__":
    main()
