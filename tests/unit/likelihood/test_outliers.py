from dataclasses import replace

import pytest
import torch
from tests.metrics import condense, fit_by, plain_metric

from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.outliers import Outliers

N_STARS = 12
SPIKES = torch.tensor([60, 61, 150, 151, 152, 300])


@pytest.fixture(scope="module")
def labels(draw_labels):
    return draw_labels(N_STARS, 20)


@pytest.fixture(scope="module")
def spectra(observe, labels):
    return observe(labels, 0.01, seed=20, masked=0.02)


def spiked(spectra, height):
    flux = spectra.flux.clone()
    flux[:, SPIKES] += height
    return replace(spectra, flux=flux)


def fold(emulator, spectra, labels, outliers):
    return condense(plain_metric(outliers=outliers), emulator, spectra, labels)


def test_clean_spectra_lose_nothing(emulator, spectra, labels):
    folded = fold(emulator, spectra, labels, Outliers())
    assert folded.clipped.sum() <= 3
    assert ((folded.score > 0.7) & (folded.score < 1.2)).all()


def test_cosmic_rays_are_found_and_only_they(emulator, spectra, labels):
    folded = fold(emulator, spiked(spectra, 0.3), labels, Outliers(grow=0))
    good = spectra.good[:, SPIKES]
    assert (folded.clipped[:, SPIKES] == good).double().mean() > 0.98
    assert folded.clipped.sum() - good.sum() <= 3
    assert (folded.score > 2).all()


def test_the_fit_of_a_spiked_spectrum_is_that_of_the_clean_one(emulator, spectra, labels):
    def errors(spectra, outliers):
        likelihood = ExactLikelihood(plain_metric(outliers=outliers), emulator)
        _, fit = fit_by(likelihood, emulator, spectra, labels)
        return (fit.unit - emulator.scaler.to_unit(labels)).abs().mean()

    harmed = spiked(spectra, 0.3)
    clean, cleaned, dirty = errors(spectra, None), errors(harmed, Outliers()), errors(harmed, None)
    assert cleaned < 1.2 * clean
    assert dirty > 2 * clean


def test_limits_differ_above_and_below(emulator, spectra, labels):
    limits = Outliers(upper=5.0, lower=1000.0)
    above = fold(emulator, spiked(spectra, 0.3), labels, limits).clipped[:, SPIKES]
    below = fold(emulator, spiked(spectra, -0.3), labels, limits).clipped[:, SPIKES]
    assert above.double().mean() > 0.9
    assert not below.any()


def test_neighbours_are_masked_too_but_bad_pixels_are_not_counted(emulator, spectra, labels):
    harmed = spiked(spectra, 0.3)
    alone = fold(emulator, harmed, labels, Outliers(grow=0, max_rounds=1)).clipped
    grown = fold(emulator, harmed, labels, Outliers(grow=2, max_rounds=1)).clipped
    assert (alone <= grown).all()
    assert grown.sum() > 2 * alone.sum()
    assert not (grown & ~spectra.good).any()


def test_a_spectrum_unlike_any_star_keeps_its_pixels(emulator, spectra, labels):
    generator = torch.Generator().manual_seed(0)
    wild = spectra.flux + 5 * torch.randn(spectra.flux.shape, generator=generator).double().exp()
    folded = fold(emulator, replace(spectra, flux=wild), labels, Outliers(upper=0.1, lower=0.1))
    assert not folded.clipped.any()
    assert (folded.score > 10).all()


def test_a_star_without_a_good_pixel_has_no_outlier(emulator, spectra, labels):
    blank = replace(spectra, ivar=torch.zeros_like(spectra.ivar))
    folded = fold(emulator, blank, labels, Outliers())
    assert not folded.clipped.any()
    assert (folded.score == 0).all()


def test_the_unweighted_metric_has_no_outliers(emulator, spectra, labels):
    folded = condense(plain_metric(weighted=False, outliers=Outliers()), emulator, spectra, labels)
    assert not folded.clipped.any()
    assert folded.score.isnan().all()


@pytest.mark.parametrize("wrong", [{"upper": 0.0}, {"lower": -1.0}, {"grow": -1}])
def test_numbers_without_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match="outliers"):
        Outliers(**wrong)
