"""Metrics without the refinements of the default, and what they make of spectra."""

from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.metric import Metric
from torchfit.likelihood.nuisance import Nuisance
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit, Problem


def plain_nuisance(
    continuum_degree=None, continuum_sigma=0.1, broadening_sigma=None, velocity_sigma=None
):
    """A nuisance that is nothing unless said."""
    return Nuisance(continuum_degree, continuum_sigma, broadening_sigma, velocity_sigma)


def plain_metric(**settings):
    """Noise, truncation, emulator covariance and prior; no nuisance, no clipping unless said."""
    return Metric(**({"nuisance": plain_nuisance(), "outliers": None} | settings))


def condense(metric, emulator, spectra, start):
    """What the exact likelihood makes of spectra."""
    return ExactLikelihood(metric, emulator).condense(spectra, start)


def loss_of(metric, emulator, spectra, start):
    """The loss of spectra by the exact likelihood."""
    return condense(metric, emulator, spectra, start).objective


def fit_by(likelihood, emulator, spectra, start):
    """Levenberg-Marquardt on what a likelihood makes of spectra: problem and fit."""
    objective = likelihood.condense(spectra, start).objective
    lower, upper = emulator.bounds
    problem = Problem(objective, lower, upper, None)
    begin = Fit.at_start(problem, emulator.scaler.to_unit(start))
    return problem, LevenbergMarquardt().minimise(problem, begin)
