"""Fig. 5 and 6 on the emulator of the tests."""

import numpy as np
import pytest
import torch

from torchfit.paper.flux_one_to_one import in_sample_pairs, pairs_figure
from torchfit.paper.reproduced_spectra import emulated_figure, typical_stars
from torchfit.report.metrics import SPECTRAL_CLASSES, TeffRange

ALL = TeffRange("all", 0.0, np.inf)


def test_in_sample_flux_is_that_of_the_templates(emulator):
    pairs = in_sample_pairs(emulator, (ALL,), at_most=10_000)["all"]
    good = emulator.library.spectra.good & emulator.flux_pca.good
    assert pairs.n_stars == len(emulator.library)
    assert pairs.flux.size == int(good.sum())
    model = emulator.flux(emulator.library.labels)[good]
    np.testing.assert_allclose(pairs.model, model.numpy())
    row = pairs.row("in the training", "all")
    residual = emulator.library.spectra.flux[good] - model
    assert row["sigma"] == pytest.approx(float(residual.std(correction=0)))


def test_some_stars_stand_for_many(emulator):
    assert in_sample_pairs(emulator, (ALL,), at_most=5)["all"].n_stars == 5


def test_the_typical_star_has_the_median_residual(emulator):
    (star,) = typical_stars(emulator, (ALL,))
    library = emulator.library
    good = library.spectra.good & emulator.flux_pca.good
    residual = torch.where(good, library.spectra.flux - emulator.flux(library.labels), 0.0)
    spread = (residual.square().sum(dim=1) / good.sum(dim=1)).sort().values
    mine = float((star.residual**2).mean())
    assert mine == pytest.approx(float(spread[(len(spread) - 1) // 2]))
    assert (star.sigma >= 0).all() and 0 <= star.row()["% of pixels within it"] <= 100


def test_they_are_drawn(emulator):
    stars = typical_stars(emulator, SPECTRAL_CLASSES)
    assert stars
    figure = emulated_figure(emulator.wave.numpy(), stars[0])
    assert [axes.get_ylabel() for axes in figure.axes] == ["normalised flux", "residual"]
    pairs = in_sample_pairs(emulator, SPECTRAL_CLASSES, 20)
    assert len(pairs_figure({"a": pairs, "b": pairs}).axes) == 2 * len(pairs)
