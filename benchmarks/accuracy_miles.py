"""Accuracy of the labels of held-out MILES stars, five folds by star.

    python benchmarks/accuracy_miles.py

Every fold trains its own emulator, hyperparameters included, on the other four. Methods: ``cfi``
(labels of the best-matching star), ``cfi5`` (mean of the five best), ``paper``
(experiment=paper: grouped Bayesian optimisation of unweighted residuals), ``all templates``
(library.audit=null), ``default``. The audit of a fold's emulator sees the labels of the other four
folds only, and every star is scored, those included that it leaves out of training. Classes are by
published temperature, in the last rows by measured one: at the ends of the library only the latter
tells what a user of measured labels meets.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import lightning
import torch

from record import record
from settings import build, composed, fit_settings
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.match.cfi import correlate
from torchfit.match.start import start_labels
from torchfit.report.metrics import label_residuals
from torchfit.report.rows import Row
from torchfit.run.audit import audited_emulator
from torchfit.run.held_out import measure_library

METHODS = ("cfi", "cfi5", "paper", "all templates", "default")


def matched(train: Library, library: Library, test: torch.Tensor, n_best: int) -> torch.Tensor:
    """Labels from matching alone."""
    return start_labels(correlate(library.spectra[test], train.spectra), train.labels, n_best)


def fitted(overrides: list[str], train: Library, library: Library, test: torch.Tensor):  # noqa: ANN201
    """Labels from an emulator trained on the other folds."""
    cfg = composed(overrides)
    training, settings = build(cfg.emulator), fit_settings(cfg)
    audit = None if cfg.library.audit is None else build(cfg.library.audit)
    with tempfile.TemporaryDirectory() as folder:
        emulator = training.train(
            replace(train, audit=audit), build(cfg.preprocess), build(cfg.trainer),
            Path(folder) / "fold.ckpt",
        )  # fmt: skip
    learning = build(cfg.uncertainty).learning
    emulator, _ = audited_emulator(emulator, training, settings, learning)
    return measure_library(emulator, library, test, settings)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="accuracy_miles")
    parser.add_argument("overrides", nargs="*", help="overrides of the default method")
    args = parser.parse_args()
    lightning.seed_everything(args.seed, verbose=False)
    cfg = composed(args.overrides)
    library = build(cfg.library)(preprocessor=build(cfg.preprocess))
    fold = folds_by_star(library.star_names, args.folds, args.seed)
    methods = {name: torch.full_like(library.labels, torch.nan) for name in METHODS}
    rchi2 = torch.full((len(library),), torch.nan, dtype=torch.float64)
    for number in range(args.folds):
        test = (fold == number).nonzero()[:, 0]
        train = library.select(fold != number)
        methods["cfi"][test] = matched(train, library, test, 1)
        methods["cfi5"][test] = matched(train, library, test, 5)
        methods["paper"][test] = fitted(["experiment=paper"], train, library, test).labels
        unaudited = [*args.overrides, "library.audit=null"]
        methods["all templates"][test] = fitted(unaudited, train, library, test).labels
        default = fitted(args.overrides, train, library, test)
        methods["default"][test], rchi2[test] = default.labels, default.rchi2
    rows: list[Row] = []
    for name, predicted in methods.items():
        found = label_residuals(
            predicted.numpy(),
            library.labels.numpy(),
            library.label_names,
            library.labels[:, 0].numpy(),
        )
        rows += [{"method": name, **row} for row in found]
    best = methods["default"].numpy()
    found = label_residuals(best, library.labels.numpy(), library.label_names, best[:, 0])
    rows += [{"method": "default, by measured teff", **row} for row in found]
    record(args.name, rows)
    print(f"median reduced chi2 of the default: {float(rchi2.nanmedian()):.3f}")


if __name__ == "__main__":
    main()
