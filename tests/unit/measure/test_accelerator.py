"""Every way to measure stars, on an accelerator that is simulated: the CPU's numbers."""

from dataclasses import replace

import pytest
import torch
from tests.simulated.device import SimTensor
from tests.simulated.traffic import counted

from torchfit.group.grouping import Grouping
from torchfit.likelihood.joint_spectra import JointSpectra, coadd
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.likelihood.noise import NodeNoise, NoiseShape
from torchfit.likelihood.nuisance import Nuisance
from torchfit.likelihood.prior import StartPrior
from torchfit.likelihood.shared_table import LevelMatrices, NodeColumns
from torchfit.match.component_cfi import ComponentCFI
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.device import to_device
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.measure.settings import FitSettings
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.curve_fit import CurveFit
from torchfit.optimise.gradient import GradientDescent
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Fit
from torchfit.optimise.subspace import Subspace
from torchfit.optimise.turbo import TrustRegionOptimisation
from torchfit.uncertainty.sampler import EnsembleSampler
from torchfit.uncertainty.sampling import PosteriorSampling
from torchfit.uncertainty.streams import Streams

SIM, CPU = torch.device("sim", 0), torch.device("cpu")
FEW = {"n_random": 3, "max_iterations": 2, "min_iterations": 1, "raw_samples": 16}
NUISANCE = Nuisance(continuum_degree=3)
METRICS = {
    "default": Metric(nuisance=NUISANCE),
    "common": Metric(nuisance=NUISANCE, sharing=Sharing()),
    "paper": Metric(weighted=False, nuisance=Nuisance.none(), prior_strength=0.0, outliers=None),
    "broadened": Metric(
        nuisance=replace(NUISANCE, broadening_sigma=1.0, velocity_sigma=None), noise_floor=0.01
    ),
    "plain": Metric(nuisance=Nuisance.none(), outliers=None, sharing=Sharing(rounds=1)),
}
LM = LevenbergMarquardt(max_iterations=20)
OPTIMISERS = {
    "none": {},
    "lm": {"lm": LM},
    "starts": {"lm": replace(LM, n_starts=3)},
    "bo": {"bo": BayesianOptimisation(**FEW, num_restarts=2), "lm": LM},
    "turbo": {"turbo": TrustRegionOptimisation(**FEW, num_restarts=2), "lm": LM},
    "curve_fit": {"curve_fit": CurveFit(max_evaluations=10)},
    "analytic": {"curve_fit": CurveFit(max_evaluations=10, derivatives="analytic")},
} | {
    f"{method} {coordinates}": {
        method: GradientDescent(method=method, coordinates=coordinates, max_iterations=4)
    }
    for method in ("adam", "lbfgs")
    for coordinates in ("labels", "label_pca", "active_subspace")
}  # fmt: skip
SAMPLING = PosteriorSampling(EnsembleSampler(n_walkers=8, n_warmup=8, n_steps=12), stars_at_once=3)
GROUPS = torch.tensor([7, 7, 3, 3, 3, 9, 7, 3, 9, 9])


@pytest.fixture(scope="module")
def spectra(observe, draw_labels):
    """Ten stars: one without a good pixel, one with few, one with a hole, one with cosmic rays."""
    whole = observe(draw_labels(10, 60), 0.01, seed=60, masked=0.02)
    flux, ivar = whole.flux.clone(), whole.ivar.clone()
    ivar[0] = 0
    ivar[1, 60:] = 0
    ivar[2, 100:200] = 0
    flux[3, 50:350:60] += 0.5
    flux[4, 5] = torch.nan
    return replace(whole, flux=flux, ivar=ivar)


@pytest.fixture(scope="module")
def noise(masked_emulator, spectra):
    """A noise that grows to the red."""
    redder = replace(spectra[5:], ivar=spectra.ivar[5:] * torch.linspace(2, 1, 400))
    noise, nodes = NodeNoise.of(redder), masked_emulator.residuals.nodes
    noise = replace(noise, n_stars=torch.full_like(noise.n_stars, 100))
    return NoiseShape.of(nodes, 400, dict.fromkeys(range(len(nodes)), noise))


@pytest.fixture(scope="module")
def assert_same(masked_emulator, spectra):
    """``assert_same(settings, noise, sampled, joint, **batch)``: as on the CPU, bit for bit."""

    def check(settings, noise=None, sampled=None, joint=None, **changes):
        fitter = BatchFitter(masked_emulator, settings, noise, sampled)
        batch = GroupBatch(torch.arange(10), GROUPS, replace(joint or spectra, **changes))
        expected = fitter.measure(batch)
        found = fitter.to(SIM).measure(to_device(batch, SIM))
        one, other = tensors(found), tensors(expected)
        assert one.keys() == other.keys()
        assert all(isinstance(tensor, SimTensor) for tensor in one.values())
        assert not any(isinstance(tensor, SimTensor) for tensor in other.values())
        back = {name: tensor.cpu() for name, tensor in one.items()}
        torch.testing.assert_close(back, other, rtol=0, atol=0, equal_nan=True)
        assert expected.labels.isfinite().all(dim=1).sum() >= 8

    return check


def tensors(value, path=""):
    """All tensors of nested dataclasses by name."""
    if isinstance(value, torch.Tensor) or value is None:
        return {} if value is None else {path: value}
    parts = [tensors(each, f"{path}.{name}") for name, each in vars(value).items()]
    return {name: tensor for part in parts for name, tensor in part.items()}


def settings_of(metric="common", optimiser="lm", space="pixels", sampling=None):
    matching = Matching(t=15, n_best=5, space=space)
    return FitSettings(
        matching, Grouping(max_comp=3), METRICS[metric], OPTIMISERS[optimiser], sampling=sampling
    )


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("metric", ["default", "common", "paper"])
def test_every_metric_with_every_optimiser(assert_same, noise, metric, optimiser):
    assert_same(settings_of(metric, optimiser), noise)


@pytest.mark.parametrize("space", ["pixels", "components"])
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_with_every_matching(assert_same, metric, space):
    assert_same(settings_of(metric, space=space))


@pytest.mark.parametrize("sampled", [None, [2, 5, 0], []])
@pytest.mark.parametrize("metric", METRICS)
def test_posteriors(assert_same, metric, sampled):
    chosen = None if sampled is None else torch.tensor(sampled, dtype=torch.long)
    assert_same(settings_of(metric, sampling=SAMPLING), sampled=chosen)


@pytest.mark.parametrize("has_ivar", [True, False])
@pytest.mark.parametrize("metric", METRICS)
def test_stars_of_several_exposures(assert_same, spectra, noise, metric, has_ivar):
    """Three of them, one of whose exposures has no good pixel, beside others."""
    exposures = spectra[torch.tensor([3, 5, 0, 6, 7, 8, 9])]
    exposures = replace(exposures, has_ivar=torch.full((7,), has_ivar))
    star = torch.tensor([3, 3, 6, 6, 6, 8, 8])
    coadds = coadd(exposures, star.unique(return_inverse=True)[1])
    flux, ivar, known = spectra.flux.clone(), spectra.ivar.clone(), spectra.has_ivar.clone()
    flux[[3, 6, 8]], ivar[[3, 6, 8]], known[[3, 6, 8]] = coadds.flux, coadds.ivar, coadds.has_ivar
    joint = JointSpectra(spectra.wave, flux, ivar, known, exposures, star)
    assert_same(settings_of(metric), noise, joint=joint)


@pytest.mark.parametrize("metric", METRICS)
def test_stars_without_errors(assert_same, noise, metric):
    assert_same(settings_of(metric), noise, has_ivar=torch.arange(10) % 3 > 0)


@pytest.mark.parametrize("metric", METRICS)
def test_single_precision(assert_same, spectra, metric):
    flux, ivar = spectra.flux.float(), spectra.ivar.float()
    assert_same(settings_of(metric, space="components"), flux=flux, ivar=ivar)


MADE = [
    (NodeColumns, "at"), (LevelMatrices, "of"), (ComponentCFI, "_of_shape"), (StartPrior, "to"),
    (Measurement, "empty"), (Fit, "at_start"), (Subspace, "best_match_cube"),
    (BayesianOptimisation, "_random"), (Streams, "uniform"), (Nuisance, "columns"),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "name"), MADE)
def test_a_tensor_on_the_wrong_device_is_found(assert_same, monkeypatch, owner, name):
    """Whatever makes tensors, made to leave its own on the CPU."""
    made = owner.__dict__[name]
    make = made.__func__ if isinstance(made, classmethod) else made

    def on_the_cpu(*arguments, **settings):
        value = make(*arguments, **settings)
        if isinstance(value, tuple):
            return type(value)(*(each.cpu() for each in value))
        return to_device(value, CPU)

    wrapped = classmethod(on_the_cpu) if isinstance(made, classmethod) else on_the_cpu
    monkeypatch.setattr(owner, name, wrapped)
    with pytest.raises((RuntimeError, AssertionError)):
        assert_same(settings_of("common", "bo", "components", SAMPLING))


@pytest.mark.parametrize("n_stars", [20, 80])
def test_the_processor_seldom_waits_for_the_device(masked_emulator, observe, draw_labels, n_stars):
    """With the settings of a survey: two times for a step, two more when stars are gathered.

    Beside the steps: which stars are usable and whose they are (3), pairs of node and level, what
    has errors (2), gaps of the emulator (3), the windows of lines, the check of two solutions,
    whether the fit starts where the form does, and the stars of each key. To the device go three
    lists of stars for a node.
    """
    spectra = observe(draw_labels(n_stars, 60), 0.01, seed=60, masked=0.02)
    fitter = BatchFitter(masked_emulator, settings_of(space="components"))
    found, star = fitter.match(spectra), torch.arange(n_stars)
    batch = GroupBatch(star, star // 10, spectra, 0, found.start, found.best_cfi)
    fitter, batch = fitter.to(SIM), to_device(batch, SIM)
    fitter.measure(batch)  # Makes the tables.
    with counted() as traffic:
        measured = fitter.measure(batch)
    steps = 1 + int(measured.fit.iterations.max())
    n_nodes = len(masked_emulator.residuals.nodes)
    assert 0 < traffic.waits <= 14 + 4 * steps
    assert traffic["to device"] <= 4 + 3 * n_nodes + steps


def test_everything_at_once(assert_same, noise):
    """What the test of wrong devices spoils is right before."""
    assert_same(settings_of("common", "bo", "components", SAMPLING), noise)
