from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from tests.metrics import plain_metric, plain_nuisance

from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.joint import JointLikelihood
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.likelihood.likelihood import Likelihood
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.likelihood.outliers import Outliers
from torchfit.likelihood.shared import SharedLikelihood

N_STARS, N = 4, 3
STAR = torch.arange(N_STARS).repeat_interleave(N)


@pytest.fixture
def labels(draw_labels):
    return draw_labels(N_STARS, 40)


@pytest.fixture
def joint(observe, labels):
    return JointSpectra.of(observe(labels[STAR], 0.01, seed=41, masked=0.05), STAR)


def test_it_is_a_likelihood(emulator):
    assert isinstance(JointLikelihood(plain_metric(), emulator), Likelihood)


def test_every_star_has_one_likelihood(emulator, joint, labels):
    metric = Metric(sharing=Sharing())
    mixed = JointSpectra(
        joint.wave, joint.flux, joint.ivar, joint.has_ivar, joint.exposures[3:], STAR[3:]
    )
    exact, together, shared = (
        kind(metric, emulator).takes(mixed, labels)
        for kind in (ExactLikelihood, JointLikelihood, SharedLikelihood)
    )
    assert exact.tolist() == [True, False, False, False]
    assert together.tolist() == [False, True, True, True]
    assert not (shared & together).any()


def test_stars_of_one_exposure_are_refused(emulator, joint, labels):
    with pytest.raises(TypeError, match="one exposure"):
        JointLikelihood(plain_metric(), emulator).condense(joint.exposures, labels[STAR])


def test_pixels_are_those_of_all_exposures(masked_emulator, joint, labels):
    found = JointLikelihood(plain_metric(), masked_emulator).condense(joint, labels)
    good = (joint.exposures.good & masked_emulator.flux_pca.good).sum(dim=1)
    assert found.n_pix.tolist() == good.reshape(N_STARS, N).sum(dim=1).tolist()
    assert not found.clipped.any()
    assert found.score.isnan().all()


def test_a_cosmic_ray_of_one_exposure_is_clipped_there_alone(emulator, joint, labels):
    place, struck = 200, 4
    flux, ivar = joint.exposures.flux.clone(), joint.exposures.ivar.clone()
    flux[struck, place], ivar[struck, place] = 3.0, 1e4
    hit = JointSpectra.of(replace(joint.exposures, flux=flux, ivar=ivar), STAR)
    metric = plain_metric(outliers=Outliers(grow=0), prior_strength=0.0)
    likelihood = JointLikelihood(metric, emulator)
    found = likelihood.condense(hit, labels)
    assert found.clipped.nonzero().tolist() == [[1, place]]
    masked = joint.exposures.without(torch.zeros_like(joint.exposures.good))
    masked.ivar[struck, place] = 0.0
    clean = likelihood.condense(JointSpectra.of(masked, STAR), labels)
    assert (found.n_pix == clean.n_pix).all()
    unit = emulator.scaler.to_unit(labels)
    torch.testing.assert_close(found.objective.loss(unit), clean.objective.loss(unit))
    assert found.score[1] > clean.score[1]


def test_the_order_of_stars_and_of_exposures_does_not_matter(emulator, joint, labels):
    metric = plain_metric(nuisance=plain_nuisance(2, 0.1, velocity_sigma=20.0))
    likelihood = JointLikelihood(metric, emulator)
    unit = emulator.scaler.to_unit(labels) + 0.1
    whole = likelihood.condense(joint, labels).objective.loss(unit)
    order = torch.tensor([2, 0, 3, 1])
    turned = likelihood.condense(joint[order], labels[order]).objective.loss(unit[order])
    torch.testing.assert_close(turned, whole[order])
    back = torch.arange(N_STARS * N).reshape(N_STARS, N).flip(1).flatten()
    flipped = JointSpectra.of(joint.exposures[back], STAR)
    torch.testing.assert_close(likelihood.condense(flipped, labels).objective.loss(unit), whole)


def test_more_exposures_say_more_of_the_labels(emulator, observe, labels):
    """Their information grows with the exposures, and less than in proportion to them."""
    likelihood = JointLikelihood(plain_metric(prior_strength=0.0), emulator)
    unit = emulator.scaler.to_unit(labels)
    seen = []
    for n in (2, 4, 8):
        star = torch.arange(N_STARS).repeat_interleave(n)
        joint = JointSpectra.of(observe(labels[star], 0.05, seed=42), star)
        objective = likelihood.condense(joint, labels).objective
        seen.append(objective.at(unit).information()[0].diagonal(dim1=1, dim2=2))
    for less, more in pairwise(seen):
        assert (more > less).all()
        assert (more < 2 * less).all()
