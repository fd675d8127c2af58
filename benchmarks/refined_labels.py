"""Refined labels of a library: are they nearer to the truth, and does an emulator gain by them?

    python benchmarks/refined_labels.py            # mock stars, of which the truth is known; MILES
    python benchmarks/refined_labels.py --miles 0  # the mock only
    python benchmarks/refined_labels.py --n 0      # MILES only

Half of the mock stars get labels with errors as large as those that MILES is found to have, and
make an emulator. Rows ``library``: their published, measured and refined labels against the truth.
Rows ``emulator of``: the other half, measured by emulators of the published, refined and true
labels, against the truth; with ``few OB`` of a library with as few stars above 10,000 and 20,000 K
as MILES.

MILES stars are measured by emulators whose labels are moved by a share w from the published to the
measured ones (0.5 are the refined labels). In rows ``nested`` the measured labels are of emulators
that have seen neither the star nor the tested fold; in rows ``leaking`` they have seen the tested
fold, and so the tested stars' own published labels come back to them.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import torch
from omegaconf import DictConfig
from torch import Tensor

from record import record
from settings import build, composed, fit_settings
from torchfit.emulator.emulator import Emulator
from torchfit.library.audit import Audit, Findings
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.library.refined import refine_labels
from torchfit.report.metrics import SPECTRAL_CLASSES, label_residuals
from torchfit.report.rows import Row
from torchfit.run.audit import judge
from torchfit.run.held_out import HeldOutLabels, hold_out, measure_library

TEFF = np.array([3600.0, 5000.0, 6000.0, 8000.0, 12000.0, 20000.0])
ERRORS = {
    "teff": [56.0, 60.0, 62.0, 165.0, 480.0, 1250.0],
    "logg": [0.16, 0.16, 0.14, 0.16, 0.21, 0.24],
    "fe_h": [0.11, 0.09, 0.085, 0.17, 0.27, 0.33],
    "alpha_fe": [0.05] * 6,
}
"""Errors of published labels at temperatures, about those of MILES."""

FEW = {10000.0: 33, 20000.0: 7}
"""Stars of a library of MILES's size above a temperature and below the next."""


@dataclass(frozen=True)
class Workshop:
    """What makes emulators and measures stars."""

    cfg: DictConfig

    def train(self, library: Library) -> Emulator:
        """An emulator with hyperparameters of its own."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "library.ckpt"
            parts = build(self.cfg.preprocess), build(self.cfg.trainer)
            return build(self.cfg.emulator).train(library, *parts, path)

    def measure(self, emulator: Emulator, train: Library, test: Library) -> Tensor:
        """Labels of stars by an emulator of others, at the hyperparameters of a trained one."""
        other = build(self.cfg.emulator).with_hyperparameters(emulator, train)
        return self.found(other, test, torch.arange(len(test)))[0]

    def found(
        self, emulator: Emulator, library: Library, star: Tensor
    ) -> tuple[Tensor, HeldOutLabels]:
        """Labels of some stars of a library, and the table of the whole library."""
        found = measure_library(emulator, library, star, fit_settings(self.cfg))
        return found.labels, HeldOutLabels.unknown(library).with_rows(star, found)

    def findings(self, library: Library, measured: HeldOutLabels) -> Findings:
        """The audit of a library whose stars were measured by emulators of other stars."""
        return judge(Audit(), library, measured, build(self.cfg.uncertainty).learning)


def rows_of(what: str, found: Tensor, reference: Tensor, names: tuple[str, ...]) -> list[Row]:
    """Residuals with the slope of found against reference labels, label by label and by class."""
    teff = reference[:, 0].numpy()
    rows = label_residuals(found.numpy(), reference.numpy(), names, teff)
    members = {each.name: each.contains(teff) for each in SPECTRAL_CLASSES}
    for row in rows:
        place, inside = names.index(str(row["label"])), members[str(row["class"])]
        line = reference[inside, place].numpy(), found[inside, place].numpy()
        row["slope"] = float(np.polyfit(*line, 1)[0]) if inside.sum() > 1 else float("nan")
    kept = ("class", "n", "label", "bias", "sigma_robust", "slope")
    return [{"what": what, **{name: row[name] for name in kept}} for row in rows]


def with_errors(library: Library, seed: int = 1) -> Library:
    """A library with published labels that scatter about the true ones."""
    log_teff = library.labels[:, 0].log10().numpy()
    sigma = [np.interp(log_teff, np.log10(TEFF), ERRORS[name]) for name in library.label_names]
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(library.labels.shape, generator=generator, dtype=torch.float64)
    return replace(library, labels=library.labels + torch.tensor(np.array(sigma).T) * noise)


def few_hot(teff: Tensor, seed: int) -> Tensor:
    """Which stars are in a library with as few hot stars as MILES."""
    generator = torch.Generator().manual_seed(seed)
    keep, ends = teff < min(FEW), [*list(FEW)[1:], torch.inf]
    for (low, n_stars), high in zip(FEW.items(), ends, strict=True):
        pool = ((teff >= low) & (teff < high)).nonzero()[:, 0]
        keep[pool[torch.randperm(len(pool), generator=generator)[:n_stars]]] = True
    return keep


def mock_rows(n_stars: int, seeds: int) -> list[Row]:
    """Mock stars."""
    cfg = composed(
        ["emulator=mastar_mock", f"library.reader.n_stars={n_stars}", "library.reader.repeats=0",
         "emulator.max_comp=40", "emulator.n_inducing=null", "emulator.samples.learn=150",
         *(f"emulator.samples.{name}=null" for name in ("residuals", "start", "held_out", "folds"))]
    )  # fmt: skip
    shop = Workshop(cfg)
    everyone = build(cfg.library)(preprocessor=build(cfg.preprocess))
    teaches = torch.rand(len(everyone), generator=torch.Generator().manual_seed(0)) < 0.55
    true, test = everyone.select(teaches), everyone.select(~teaches)
    published = with_errors(true)
    emulator = shop.train(published)
    _, measured = hold_out(emulator, build(cfg.emulator), fit_settings(cfg))
    evidence = shop.findings(published, measured).evidence
    refined, error = refine_labels(published.labels, evidence)
    names = true.label_names
    library = {
        "published": published.labels,
        "measured": evidence.measured,
        "refined": refined,
    }
    rows: list[Row] = []
    for kind, labels in library.items():
        rows += rows_of(f"library, {kind}", labels, true.labels, names)
    within(refined - true.labels, error, true)
    for kind, labels in (*library.items(), ("true", true.labels)):
        if kind != "measured":
            found = shop.measure(emulator, replace(true, labels=labels), test)
            rows += rows_of(f"emulator of {kind}", found, test.labels, names)
    hot = test.select(test.labels[:, 0] > min(FEW))
    for seed in range(seeds):
        train = published.select(few_hot(true.labels[:, 0], seed))
        found = shop.measure(emulator, train, hot)
        rows += rows_of(f"few OB, draw {seed}", found, hot.labels, names)
    return rows


def within(off: Tensor, error: Tensor, library: Library) -> None:
    """Print how many refined labels are within one and two of their errors."""
    for each in SPECTRAL_CLASSES:
        inside = torch.from_numpy(each.contains(library.labels[:, 0].numpy()))
        for times in (1, 2):
            share = 100 * (off.abs() < times * error)[inside].double().mean(dim=0)
            print(f"{each.name}: {[round(x) for x in share.tolist()]} % within {times} errors")


def pairs(
    shop: Workshop, emulator: Emulator, library: Library, fold: Tensor
) -> list[HeldOutLabels]:
    """The stars of the other folds by emulators that have not seen them, for each tested fold."""
    remake = build(shop.cfg.emulator).with_hyperparameters
    tables = [HeldOutLabels.unknown(library) for _ in range(int(fold.max()) + 1)]
    settings = fit_settings(shop.cfg)
    for first in range(len(tables)):
        for second in range(first + 1, len(tables)):
            neither = remake(emulator, library.select((fold != first) & (fold != second)))
            for tested, other in ((first, second), (second, first)):
                star = (fold == other).nonzero()[:, 0]
                found = measure_library(neither, library, star, settings)
                tables[tested] = tables[tested].with_rows(star, found)
    return tables


def miles_rows() -> list[Row]:
    """MILES stars, five folds by star."""
    cfg = composed()
    shop = Workshop(cfg)
    library = build(cfg.library)(preprocessor=build(cfg.preprocess))
    fold = folds_by_star(library.star_names, 5, 0)
    emulator = shop.train(library)
    nested = pairs(shop, emulator, library, fold)
    _, leaking = hold_out(emulator, build(cfg.emulator), fit_settings(cfg))
    published = library.labels
    audits = [
        shop.findings(library.select(fold != k), _rows(nested[k], fold != k)) for k in range(5)
    ]

    def moved(share: float, table: HeldOutLabels) -> Tensor:
        return published + share * (table.quiet.labels - published)

    kinds: Mapping[str, Callable[[int], Tensor]] = {
        "published": lambda number: published,
        "nested, w = 0.5": lambda number: moved(0.5, nested[number]),
        "nested, w = 0.8": lambda number: moved(0.8, nested[number]),
        "leaking, w = 0.8": lambda number: moved(0.8, leaking),
    }
    rows: list[Row] = []
    for kind, labels_for in kinds.items():
        found = torch.full_like(published, torch.nan)
        for number in range(5):
            train = replace(library, labels=labels_for(number)).select(fold != number)
            train = train.select(~audits[number].left_out)
            found[fold == number] = shop.measure(emulator, train, library.select(fold == number))
        rows += rows_of(kind, found, published, library.label_names)
    return rows


def _rows(table: HeldOutLabels, keep: Tensor) -> HeldOutLabels:
    return HeldOutLabels(
        table.quiet[keep], table.noisy[keep], table.matched[keep], table.misfit[keep]
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1500, help="mock stars; 0 for none")
    parser.add_argument("--seeds", type=int, default=3, help="draws of few hot stars")
    parser.add_argument("--miles", type=int, default=1, help="0 leaves MILES out")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    if args.n:
        record("refined_labels", mock_rows(args.n, args.seeds))
    if args.miles:
        record("refined_labels_miles", miles_rows())


if __name__ == "__main__":
    main()
