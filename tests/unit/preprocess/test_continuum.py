import pytest
import torch
from tests.unit.preprocess.normalising import normalise

from torchfit.preprocess.continuum import clip, running_mean, running_median


@pytest.mark.parametrize("window", [0, -3, 21])
def test_a_window_that_does_not_fit_is_refused(window):
    with pytest.raises(ValueError, match="window"):
        running_median(torch.ones(1, 20), torch.ones(1, 20, dtype=torch.bool), window)


def test_a_window_without_a_good_pixel_has_no_median():
    flux, good = torch.arange(20.0)[None], torch.ones(1, 20, dtype=torch.bool)
    good[:, 8:14] = False
    found = running_median(flux, good, 3)
    assert found.isnan().nonzero()[:, 1].tolist() == [9, 10, 11, 12]


def test_median_of_a_single_pixel_window_is_the_spectrum():
    flux = torch.tensor([[3.0, -1.0, 2.0]])
    assert torch.equal(running_median(flux, torch.ones(1, 3, dtype=torch.bool), 1), flux)


def test_an_even_window_takes_the_upper_median():
    """Window of pixel 2 is pixels 1 and 2."""
    flux = torch.tensor([[1.0, 5.0, 3.0, 9.0]])
    found = running_median(flux, torch.ones(1, 4, dtype=torch.bool), 2)
    assert found.tolist() == [[1.0, 5.0, 5.0, 9.0]]


def test_normalising_a_constant_gives_one(generator):
    flux = torch.full((2, 50), 7.5, dtype=torch.float64)
    ivar = torch.rand(2, 50, generator=generator, dtype=torch.float64)
    new_flux, new_ivar = normalise(flux, ivar, 11)
    assert torch.equal(new_flux, torch.ones_like(flux))
    torch.testing.assert_close(new_ivar, ivar * 7.5**2)


def test_normalising_keeps_the_signal_to_noise(generator):
    flux = 1 + torch.rand(2, 50, generator=generator, dtype=torch.float64)
    ivar = torch.rand(2, 50, generator=generator, dtype=torch.float64)
    new_flux, new_ivar = normalise(flux, ivar, 11)
    torch.testing.assert_close(new_flux * new_ivar.sqrt(), flux * ivar.sqrt())


@pytest.mark.parametrize("scale", [1e-3, 40.0])
def test_normalised_flux_has_no_unit(generator, scale):
    flux = 1 + torch.rand(2, 50, generator=generator, dtype=torch.float64)
    ivar = torch.ones_like(flux)
    first, _ = normalise(flux, ivar, 11)
    second, _ = normalise(scale * flux, ivar / scale**2, 11)
    torch.testing.assert_close(first, second)


def test_a_continuum_that_is_not_positive_makes_bad_pixels():
    flux = torch.full((1, 40), 2.0, dtype=torch.float64)
    flux[:, 20:] = -1.0
    new_flux, new_ivar = normalise(flux, torch.ones_like(flux), 5)
    assert (new_ivar[:, :20] > 0).all()
    assert (new_ivar[:, 23:] == 0).all()
    assert (new_flux[:, 23:] == 0).all()


def test_a_spectrum_without_a_good_pixel_stays_without():
    new_flux, new_ivar = normalise(torch.full((1, 40), torch.nan), torch.zeros(1, 40), 5)
    assert (new_flux == 0).all()
    assert (new_ivar == 0).all()


def test_clipping_sets_the_continuum_beyond_the_limits():
    flux = torch.tensor([[-0.5, 0.0, 1.0, 2.0, 2.0001, 9.0]])
    assert clip(flux, 2.0, None).tolist()[0] == pytest.approx([-0.5, 0.0, 1.0, 2.0, 1.0, 1.0])
    assert clip(flux, None, 0.0).tolist()[0] == pytest.approx([1.0, 0.0, 1.0, 2.0, 2.0001, 9.0])
    assert torch.equal(clip(flux, None, None), flux)


def test_a_running_mean_leaves_a_straight_line_and_bad_pixels_out():
    line = torch.arange(40.0, dtype=torch.float64)[None]
    good = torch.ones(1, 40, dtype=torch.bool)
    good[0, 20:23] = False
    found = running_mean(torch.where(good, line, torch.nan), good, 5)
    torch.testing.assert_close(found[0, 2:18], line[0, 2:18])
    assert found[0, 19] == pytest.approx((17 + 18 + 19) / 3)
    assert found[0, 0] == pytest.approx(1.0)
    assert running_mean(line, torch.zeros_like(good), 5).eq(0).all()


def test_noise_draws_the_continuum_of_a_spectrum_with_lines_down_but_not_that_of_its_mean(
    generator,
):
    """Lines of six pixels in half of the spectrum, and noise as large as they are deep."""
    pixel = torch.arange(20_000)
    flux = torch.where(pixel % 14 < 6, 0.4, 1.0).double()[None]
    noisy = flux + 0.6 * torch.randn(flux.shape, generator=generator, dtype=torch.float64)
    ivar = torch.ones_like(flux)

    def shift(smoothing):
        """How much higher the noisy spectrum stands over its continuum."""
        clean, disturbed = (normalise(f, ivar, 2000, smoothing)[0].mean() for f in (flux, noisy))
        return float(disturbed / clean - 1)

    assert shift(1) > 0.15
    assert abs(shift(15)) < 0.03


def test_without_smoothing_it_is_the_median_of_the_flux_itself(generator):
    flux = 1 + torch.rand(2, 60, generator=generator, dtype=torch.float64)
    one, other = (normalise(flux, torch.ones_like(flux), 11, *more)[0] for more in ((), (1,)))
    assert torch.equal(one, other)
    assert not torch.equal(one, normalise(flux, torch.ones_like(flux), 11, 5)[0])
