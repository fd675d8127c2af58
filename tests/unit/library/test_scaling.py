import numpy as np
import torch

from torchfit.library.scaling import LabelScaler


def test_unit_labels_have_mean_zero_and_deviation_one(library, assert_close):
    unit = LabelScaler.fit(library.labels).to_unit(library.labels)
    assert_close(unit.mean(dim=0) + 1, torch.ones(3))
    assert_close(unit.std(dim=0), torch.ones(3))


def test_temperature_enters_as_its_logarithm(library, assert_close):
    scaler = LabelScaler.fit(library.labels)
    log_teff = np.log10(library.labels[:, 0].numpy())
    assert_close(scaler.mean[0], log_teff.mean())
    assert_close(scaler.std[0], log_teff.std(ddof=1))
    assert_close(scaler.mean[1:], library.labels[:, 1:].mean(dim=0))


def test_a_label_that_does_not_vary_keeps_its_scale():
    labels = torch.tensor([[5000.0, 4.0], [6000.0, 4.0]], dtype=torch.float64)
    scaler = LabelScaler.fit(labels)
    assert scaler.std[1] == 1
    assert torch.equal(scaler.to_unit(labels)[:, 1], torch.zeros(2, dtype=torch.float64))


def test_the_rounding_of_a_mean_is_no_variation():
    """Neither of the deviation about it: a mean of tenths is none."""
    labels = torch.full((90, 2), 0.1, dtype=torch.float64).cumsum(dim=1)[:, [0, 0, 1]]
    scaler = LabelScaler.fit(labels)
    assert scaler.std.tolist() == [1.0, 1.0, 1.0]
    assert (scaler.to_unit(labels) == 0).all()


def test_scale_is_the_derivative_of_the_labels(library, assert_close):
    scaler = LabelScaler.fit(library.labels)
    unit = scaler.to_unit(library.labels[:5])
    for star in range(5):
        jacobian = torch.func.jacrev(scaler.from_unit)(unit[star])
        assert_close(jacobian.diagonal(), scaler.scale(unit)[star])
        assert_close(jacobian, jacobian.diagonal().diag())


def test_any_number_of_leading_axes(library, assert_close):
    scaler = LabelScaler.fit(library.labels)
    stacked = library.labels.reshape(9, 10, 3)
    assert_close(scaler.to_unit(stacked).reshape(90, 3), scaler.to_unit(library.labels))
    assert_close(scaler.from_unit(scaler.to_unit(stacked)), stacked)
    assert scaler.scale(scaler.to_unit(stacked)).shape == (9, 10, 3)
    assert scaler.to_unit(library.labels[0]).shape == (3,)
