"""Posteriors of 1000 stars in one batch against emcee, star by star, on the same log density.

    python benchmarks/posterior.py

MILES spectra with noise added are fitted by an emulator that is there already
(``--artefact``, default ``outputs/train/miles/emulator``). Times are per effective draw, by the
same estimator of the effective size, least of the labels; the warm-up counts. emcee runs twice:
one point a call, as most use it, and all points of a half-ensemble in one call (``vectorize``).
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import emcee
import numpy as np
import torch

from record import record
from settings import composed, fitter
from torchfit.emulator.artefact import load_emulator
from torchfit.library.scaling import LabelScaler
from torchfit.optimise.problem import Problem
from torchfit.report.rows import Row
from torchfit.spectra import Spectra
from torchfit.uncertainty.diagnostics import effective_size, split_rhat
from torchfit.uncertainty.posterior import laplace, log_density, sample_posterior
from torchfit.uncertainty.sampler import EnsembleSampler


def noisy(spectra: Spectra, n_stars: int, snr: float, seed: int) -> Spectra:
    """Library spectra, repeated as often as needed, with noise of a given level."""
    chosen = spectra[torch.arange(n_stars) % len(spectra)]
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(chosen.flux.shape, generator=generator, dtype=torch.float64) / snr
    ivar = torch.where(chosen.good, snr**2, 0.0).to(chosen.ivar)
    flux = torch.where(chosen.good, chosen.flux + noise, chosen.flux)
    return replace(chosen, flux=flux, ivar=ivar, has_ivar=torch.ones(n_stars, dtype=torch.bool))


def run_emcee(one: Problem, unit: torch.Tensor, vectorize: bool, n_steps: int) -> np.ndarray:
    """Unit labels of one star, step by walker by label, without the warm-up (a fifth)."""
    density, n_walkers, n_labels = log_density(one), 32, unit.shape[1]

    def of_many(x: np.ndarray) -> np.ndarray:
        return density(torch.from_numpy(np.atleast_2d(x))[None])[0].numpy()

    log_prob = of_many if vectorize else lambda x: float(of_many(x)[0])
    sampler = emcee.EnsembleSampler(n_walkers, n_labels, log_prob, vectorize=vectorize)
    np.random.seed(0)
    first = (
        unit[0].numpy()
        + 0.5 * np.random.randn(n_walkers, n_labels) @ laplace(one, unit).factor[0].numpy().T
    )
    first = np.clip(first, one.lower.numpy() + 1e-6, one.upper.numpy() - 1e-6)
    sampler.run_mcmc(first, n_steps)
    return sampler.get_chain(discard=n_steps // 5)


def row(name: str, n_stars: int, seconds: float, chains: torch.Tensor) -> Row:
    """Speed of a method; chains are star by step by walker by label."""
    by_label = chains.permute(0, 3, 1, 2)
    ess = float(effective_size(by_label).amin(dim=1).nanmedian())
    rhat = float(split_rhat(by_label).amax(dim=1).nanmedian())
    return {
        "method": name,
        "stars": n_stars,
        "ms/star": 1e3 * seconds / n_stars,
        "draws": chains.shape[1] * chains.shape[2],
        "ess": ess,
        "rhat": rhat,
        "us/effective draw": 1e6 * seconds / n_stars / ess,
    }


def agreement(ours: torch.Tensor, theirs: torch.Tensor, names: tuple[str, ...]) -> list[Row]:
    """How far means and standard deviations of the same stars are apart."""
    first, second = ours.flatten(1, 2), theirs.flatten(1, 2)
    shift = (first.mean(dim=1) - second.mean(dim=1)) / second.std(dim=1)
    ratio = first.std(dim=1) / second.std(dim=1)
    return [
        {
            "label": name,
            "stars": len(ours),
            "rms shift of the mean / sigma": float(shift[:, place].square().mean().sqrt()),
            "median ratio of sigmas": float(ratio[:, place].median()),
            "worst ratio of sigmas": float(ratio[ratio[:, place].log().abs().argmax(), place]),
        }
        for place, name in enumerate(names)
    ]


def alone(problem: Problem, stars: torch.Tensor) -> Problem:
    """The problem of some stars."""
    return Problem(problem.objective[stars], problem.lower, problem.upper, None)


def sample_all(problem: Problem, unit: torch.Tensor, scaler: LabelScaler) -> torch.Tensor:
    """Labels of all stars, star by step by walker by label."""
    star, sampler = torch.arange(len(unit)), EnsembleSampler()
    return torch.cat(
        [
            sample_posterior(sampler, alone(problem, piece), scaler, unit[piece], piece)
            for piece in star.split(64)
        ]
    )


def compare(
    problem: Problem, unit: torch.Tensor, scaler: LabelScaler, n_steps: int
) -> tuple[torch.Tensor, list[Row]]:
    """Labels of a few stars by emcee, and the speed of both ways to run it."""
    labels, rows = [], []
    for vectorize, name in ((True, "emcee, half-ensembles"), (False, "emcee, point by point")):
        steps = n_steps if vectorize else max(50, n_steps // 10)
        begin = time.perf_counter()
        drawn = [
            run_emcee(alone(problem, star), unit[star], vectorize, steps)
            for star in torch.arange(len(unit)).split(1)
        ]
        seconds = time.perf_counter() - begin
        labels.append(scaler.from_unit(torch.from_numpy(np.stack(drawn))))
        rows.append(row(name, len(unit), seconds, labels[-1]))
    # A tenth of the steps is too few to measure the correlation; it is that of the other run.
    whole, part = rows
    part["ess"] = whole["ess"] * part["draws"] / whole["draws"]
    part["us/effective draw"] = 1e3 * part["ms/star"] / part["ess"]
    return labels[0], rows


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--stars", type=int, default=1000)
    parser.add_argument("--emcee-stars", type=int, default=5)
    parser.add_argument("--emcee-steps", type=int, default=2000)
    parser.add_argument("--snr", type=float, default=30.0)
    args = parser.parse_args()
    emulator = load_emulator(args.artefact)
    settings = fitter(composed(), emulator)
    spectra = noisy(emulator.library.spectra, args.stars, args.snr, seed=0)
    _, start = settings.start(spectra)
    fitted = settings.fitting.fit(emulator, spectra, start, None)
    problem, unit = fitted.problem, fitted.fit.unit
    begin = time.perf_counter()
    ours = sample_all(problem, unit, emulator.scaler)
    rows = [row("torchfit", args.stars, time.perf_counter() - begin, ours)]
    picked = torch.linspace(0, args.stars - 1, args.emcee_stars).long()
    theirs, others = compare(
        alone(problem, picked), unit[picked], emulator.scaler, args.emcee_steps
    )
    for each in (rows := rows + others):
        each["times as long"] = each["us/effective draw"] / rows[0]["us/effective draw"]
    record("posterior", rows)
    record("posterior_agreement", agreement(ours[picked], theirs, emulator.label_names))


if __name__ == "__main__":
    main()
