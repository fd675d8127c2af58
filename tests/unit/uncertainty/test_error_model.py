import math

import torch

from torchfit.uncertainty.error_learning import ErrorLearning, KnownErrors
from torchfit.uncertainty.error_model import ErrorModel, inputs_of
from torchfit.uncertainty.scale_gp import Hyperparameters, ScaleGP


def make_model(plain=False, relative=True, n_known=40):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n_known, 3, generator=generator).double()
    y = 0.3 * torch.randn(n_known, generator=generator).double()
    gp = ScaleGP.fit(x, y, Hyperparameters.usual(3, 0.25, 1.0))
    centre = torch.tensor([3.75, 3.0, -0.5], dtype=torch.float64)
    width = torch.tensor([0.1, 1.0, 0.5], dtype=torch.float64)
    unit = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    return ErrorModel(centre, width, (gp, gp, None), unit, plain, relative)


LABELS = torch.tensor([[5600.0, 3.0, -0.4], [4500.0, 1.0, -1.0]], dtype=torch.float64)


def test_the_factor_holds_the_variance_of_the_process():
    model = make_model()
    inputs = inputs_of(LABELS)
    mean, variance = model.gps[0].predict((inputs - model.centre) / model.width)
    assert torch.allclose(model.factor(inputs)[:, 0], (mean + variance).exp())
    plain = make_model(plain=True).factor(inputs)[:, 0]
    assert torch.allclose(plain, ((1 + mean).square() + variance).sqrt())


def test_units_multiply():
    factor = make_model().factor(inputs_of(LABELS))
    assert torch.allclose(factor[:, 1], 2 * factor[:, 0])


def test_a_label_without_errors_keeps_what_was_expected_or_has_none():
    assert (make_model(relative=True).factor(inputs_of(LABELS))[:, 2] == 1).all()
    assert make_model(relative=False).factor(inputs_of(LABELS))[:, 2].isnan().all()


def test_an_unknown_star_has_a_larger_factor():
    """Its expectation is a little above the level of all, its uncertainty much larger."""
    model = make_model()
    known, unknown = inputs_of(LABELS[:1]), inputs_of(LABELS[:1])
    unknown[:, 1] = torch.nan
    assert (model.factor(unknown)[:, :2] > model.factor(known)[:, :2]).all()


def test_inputs():
    inputs = inputs_of(LABELS, torch.tensor([10.0, 0.0], dtype=torch.float64))
    assert torch.allclose(inputs[0], torch.tensor([math.log10(5600), 3.0, -0.4, 1.0]).double())
    assert inputs[1, 3].isnan()
    assert inputs_of(LABELS).shape == (2, 3)


def test_state_and_back():
    for plain in (False, True):
        model = make_model(plain)
        state = model.state()
        assert all(isinstance(value, torch.Tensor) for value in state.values())
        again = ErrorModel.of_state(state)
        assert torch.equal(again.factor(inputs_of(LABELS)), model.factor(inputs_of(LABELS)))
        assert (again.plain, again.relative, again.gps[2]) == (plain, True, None)


def test_a_learned_model_survives_the_file(generator):
    x = torch.randn(30, 3, generator=generator).double()
    error = torch.rand(30, 2, generator=generator).double()
    known = KnownErrors(x, error, torch.full_like(error, torch.nan), torch.arange(30) % 5)
    model = ErrorLearning().learn(known, ("teff", "logg"), "test")
    again = ErrorModel.of_state(model.state())
    assert torch.equal(again.factor(x), model.factor(x))
    assert torch.equal(again.tail, model.tail)


def test_a_model_of_before_has_no_tail():
    assert "tail" not in make_model().state()
    assert ErrorModel.of_state(make_model().state()).tail is None
