from dataclasses import fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.metrics import plain_metric, plain_nuisance
from tests.property.strategies import finite_junk, with_junk

from torchfit.group.grouping import Grouping
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.optimise.bo import BayesianOptimisation
from torchfit.optimise.lm import LevenbergMarquardt

GROUPS = torch.tensor([0, 0, 1, 1, 2, 2])
BO = BayesianOptimisation(
    n_random=3, max_iterations=2, min_iterations=1, raw_samples=16, num_restarts=2
)


@pytest.fixture(scope="module")
def spectra(observe, draw_labels):
    return observe(draw_labels(6, 70), 0.01, seed=70, masked=0.1)


@pytest.fixture(scope="module")
def infer(masked_emulator):
    def make(**optimisers):
        metric = plain_metric(nuisance=plain_nuisance(continuum_degree=2, velocity_sigma=20.0))
        matching, grouping = Matching(t=12, n_best=3), Grouping(max_comp=3)
        return BatchFitter(masked_emulator, FitSettings(matching, grouping, metric, optimisers))

    return make


def columns(measured):
    """Every column of a measurement by name."""
    values = {f.name: getattr(measured, f.name) for f in fields(measured)}
    tensors = {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
    errors = {"e_total": measured.errors.total, "e_noise": measured.errors.noise}
    return tensors | errors | {"unit": measured.fit.unit, "stop": measured.fit.stop}


@settings(max_examples=6)
@given(finite_junk)
def test_a_bad_pixel_has_no_say_in_any_column(infer, spectra, value):
    inference = infer(bo=BO, lm=LevenbergMarquardt())
    batches = [GroupBatch(torch.arange(6), GROUPS, s) for s in (spectra, with_junk(spectra, value))]
    one, other = (columns(inference.measure(batch)) for batch in batches)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=0, equal_nan=True)


@settings(max_examples=10)
@given(st.permutations(range(6)))
def test_with_optimisers_of_stars_order_and_company_do_not_matter(infer, spectra, order):
    inference = infer(lm=LevenbergMarquardt())
    whole = columns(inference.measure(GroupBatch(torch.arange(6), GROUPS, spectra)))
    order = torch.tensor(order)
    turned = columns(inference.measure(GroupBatch(order, GROUPS[order], spectra[order])))
    star = order[:1]
    alone = columns(inference.measure(GroupBatch(star, GROUPS[star], spectra[star])))
    for name, values in whole.items():
        tight = {"equal_nan": True}
        if values.is_floating_point():
            tight |= {"rtol": 1e-6, "atol": 1e-6}
        torch.testing.assert_close(turned[name], values[order], **tight)
        torch.testing.assert_close(alone[name], values[star], **tight)


@settings(max_examples=5)
@given(st.permutations(range(3)))
def test_with_optimisers_of_groups_the_order_of_groups_does_not_matter(infer, spectra, names):
    inference = infer(bo=BO)
    whole = columns(inference.measure(GroupBatch(torch.arange(6), GROUPS, spectra)))
    renamed = torch.tensor(names)[GROUPS]
    other = columns(inference.measure(GroupBatch(torch.arange(6), renamed, spectra)))
    torch.testing.assert_close(other["labels"], whole["labels"], rtol=1e-6, atol=1e-6)
    assert torch.equal(other["stop"], whole["stop"])
