"""Every optimiser on the same groups of real stars, and two packages that others use.

    python benchmarks/optimisers.py

Half of MILES trains the emulator, the other half is measured. ``bayesian-optimization`` drives the
same objective in the same box from the same first points, one group after the other, with as many
evaluations as ``bo``; ``curve_fit`` is scipy's, one star after the other, from the same start.
"""

import argparse
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import lightning
import numpy as np
import torch
from bayes_opt import BayesianOptimization
from bayes_opt.acquisition import UpperConfidenceBound

from record import record
from settings import build, composed, fitter
from torchfit.emulator.emulator import Emulator
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.likelihood.exact import ExactLikelihood
from torchfit.measure.fitter import BatchFitter
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.curve_fit import CurveFit
from torchfit.optimise.gradient import GradientDescent
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit, Problem
from torchfit.optimise.turbo import TrustRegionOptimisation
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.spectra import Spectra

EVALUATIONS = 31
REPEATS, ENOUGH_SECONDS = 7, 2.0


def half_emulator(cfg) -> tuple[Emulator, Library]:  # noqa: ANN001
    """An emulator of half of the stars, and the other half."""
    library = build(cfg.library)(preprocessor=build(cfg.preprocess))
    half = folds_by_star(library.star_names, 2, cfg.seed)
    with tempfile.TemporaryDirectory() as folder:
        emulator = build(cfg.emulator).train(
            library.select(half == 0), build(cfg.preprocess), build(cfg.trainer),
            Path(folder) / "half.ckpt",
        )  # fmt: skip
    return emulator, library.select(half == 1)


def problem_of(
    method: BatchFitter, spectra: Spectra, n_group: int, groups: int
) -> tuple[Problem, Fit, torch.Tensor]:
    """The first ``groups`` groups of the stars, ready to fit, and which stars they are."""
    matches = method.match(spectra)
    start = matches.start
    order = np.lexsort(start.numpy().T[::-1])
    star = torch.from_numpy(order[: n_group * groups])
    group = torch.arange(len(star)) // n_group
    emulator, chosen = method.emulator, start[star]
    likelihood = ExactLikelihood(method.settings.metric, emulator)
    objective = likelihood.condense(spectra[star], chosen).objective
    grouping = method.settings.grouping
    subspace = method.matcher.subspace(matches[star], group, grouping)
    problem = Problem(objective, *emulator.bounds, subspace)
    return problem, Fit.at_start(problem, emulator.scaler.to_unit(chosen)), star


def package_bo(problem: Problem, start: Fit, groups: int, optimiser: BayesianOptimisation) -> Fit:
    """bayesian-optimization, group after group."""
    space = problem.subspace
    unit, loss = start.unit.clone(), start.loss.clone()
    first = optimiser.first_points(space).numpy()
    for group in range(groups):
        small, star = space.select(torch.tensor([group]))
        objective = problem.objective[star]
        moving = np.flatnonzero((space.upper > space.lower)[group].numpy())

        def labels(point: np.ndarray, small=small) -> torch.Tensor:  # noqa: ANN001
            cube = torch.from_numpy(point)[None, None]
            return small.unit_labels(cube)[:, 0].clamp(problem.lower, problem.upper)

        names = [f"d{dim}" for dim in moving]
        engine = BayesianOptimization(
            None, dict.fromkeys(names, (0.0, 1.0)), random_state=0, verbose=0,
            acquisition_function=UpperConfidenceBound(kappa=optimiser.kappa),
            allow_duplicate_points=True,
        )  # fmt: skip
        for step in range(EVALUATIONS):
            point = np.full(space.lower.shape[1], 0.5)
            if step < first.shape[1]:
                point = first[group, step]
            else:
                suggested = engine.suggest()
                point[moving] = [suggested[name] for name in names]
            here = labels(point)
            value = objective.loss(here)
            engine.register(dict(zip(names, point[moving], strict=True)), -float(value.mean()))
            if value.mean() < loss[star].mean():
                unit[star], loss[star] = here, value
    count = torch.full_like(start.iterations, EVALUATIONS)
    return Fit(unit, loss, count - first.shape[1], count, start.stop)


def row_of(
    name: str, found: tuple[Problem, Fit, float], truth: torch.Tensor, setting: dict[str, int]
) -> Row:
    """One line of the table."""
    problem, fit, seconds = found
    labels = problem.subspace.scaler.from_unit(fit.unit)
    scatter = [robust_sigma((labels - truth)[:, place].numpy()) for place in range(3)]
    return {
        "method": name,
        **setting,
        "m": int((problem.subspace.upper > problem.subspace.lower).sum(dim=1).max()),
        "evaluations": int(fit.evaluations.double().mean()),
        "seconds_per_star": seconds / len(truth),
        "seconds_per_group": seconds / setting["groups"],
        "chi2_median": float(problem.objective.chi_squared(fit.unit).median()),
        "loss_mean": float(fit.loss.mean()),
        "sigma_teff": scatter[0],
        "sigma_logg": scatter[1],
        "sigma_fe_h": scatter[2],
    }


def timed(optimiser, problem: Problem, start: Fit) -> tuple[Problem, Fit, float]:  # noqa: ANN001
    """Run an optimiser with a clock; a quick one several times, the median counts."""
    seconds: list[float] = []
    while len(seconds) < REPEATS and sum(seconds) < ENOUGH_SECONDS:
        begin = time.perf_counter()
        fit = optimiser.minimise(problem, start)
        seconds.append(time.perf_counter() - begin)
    return problem, fit, statistics.median(seconds)


def group_rows(
    method: BatchFitter, library: Library, n_group: int, groups: int, peer: int
) -> list[Row]:
    """All optimisers on the same groups; the slow ones on the first ``peer`` of them too."""
    equal = BayesianOptimisation(
        min_iterations=EVALUATIONS - 11, max_iterations=EVALUATIONS - 11, patience=10**6
    )
    optimisers = {
        "bo": equal,
        "bo, stopped as the paper does": BayesianOptimisation(tolerance=0.0, min_iterations=1),
        "adam, labels": GradientDescent("adam"),
        "adam, label_pca": GradientDescent("adam", "label_pca"),
        "lbfgs, label_pca": GradientDescent("lbfgs", "label_pca"),
        "lm": LevenbergMarquardt(),
    }
    rows = []
    for n, methods in (
        (groups, optimisers),
        (peer, {"bo": equal, "turbo": TrustRegionOptimisation(), "lm": LevenbergMarquardt()}),
    ):
        problem, start, star = problem_of(method, library.spectra, n_group, n)
        truth = library.labels[star]
        setting = {"n_group": n_group, "t": method.settings.matching.t, "groups": n}
        rows.append(row_of("start labels", (problem, start, 0.0), truth, setting))
        for name, optimiser in methods.items():
            rows.append(row_of(name, timed(optimiser, problem, start), truth, setting))
    begin = time.perf_counter()
    fit = package_bo(problem, start, peer, equal)
    found = problem, fit, time.perf_counter() - begin
    return [*rows, row_of("bayesian-optimization", found, truth, setting)]


def star_rows(method: BatchFitter, library: Library, n_stars: int) -> list[Row]:
    """LM against scipy on many stars: the held-out ones with fresh noise of one per cent."""
    generator = torch.Generator().manual_seed(0)
    star = torch.arange(n_stars) % len(library)
    clean = library.spectra[star]
    noise = 0.01 * torch.randn(clean.flux.shape, generator=generator, dtype=torch.float64)
    flux = torch.where(clean.good, clean.flux + noise, 0.0)
    spectra = Spectra(clean.wave, flux, clean.ivar, clean.has_ivar)
    problem, start, order = problem_of(method, spectra, n_stars, 1)
    setting = {"n_group": n_stars, "t": method.settings.matching.t, "groups": 1}
    found = {
        name: timed(o, problem, start)
        for name, o in (
            ("lm", LevenbergMarquardt()),
            ("curve_fit", CurveFit()),
            ("curve_fit, our derivatives", CurveFit(derivatives="analytic")),
        )
    }
    rows = [
        row_of(f"{name}, {n_stars} stars", f, library.labels[star[order]], setting)
        for name, f in found.items()
    ]
    lm, scipy = found["lm"], found["curve_fit"]
    excess = lm[1].loss / scipy[1].loss - 1
    same = (excess <= 1e-6).double().mean()
    print(
        f"lm reaches curve_fit's loss within 1e-6 for {same:.2%} of {n_stars} stars (it is lower "
        f"by more for {(excess < -1e-6).double().mean():.2%}), {scipy[2] / lm[2]:.0f} times faster"
    )
    rows[0]["share_not_above_curve_fit"] = float(same)
    return rows


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=32)
    parser.add_argument("--peer-groups", type=int, default=3)
    parser.add_argument("--n-group", type=int, nargs="+", default=[10])
    parser.add_argument("--stars", type=int, default=1000)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    lightning.seed_everything(0, verbose=False)
    cfg = composed()
    emulator, library = half_emulator(cfg)
    method = fitter(cfg, emulator)
    rows: list[Row] = []
    for n_group in args.n_group:
        rows += group_rows(method, library, n_group, args.groups, args.peer_groups)
    seconds = {
        name: next(row["seconds_per_group"] for row in rows if row["method"] == name)
        for name in ("bo", "bayesian-optimization")
    }
    rows += star_rows(method, library, args.stars)
    share = "share_not_above_curve_fit"
    record("optimisers", [{**row, share: row.get(share, float("nan"))} for row in rows])
    ratio = seconds["bayesian-optimization"] / seconds["bo"]
    print(f"bo is {ratio:.0f} times faster per group than bayesian-optimization")


if __name__ == "__main__":
    main()
