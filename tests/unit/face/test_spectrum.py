import astropy.units as u
import numpy as np
import pandas as pd
import pytest
import torch
from astropy.nddata import InverseVariance, StdDevUncertainty
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked
from specutils import Spectrum as Specutils
from specutils import SpectrumCollection

from torchfit.exceptions import SpectrumError
from torchfit.face.spectrum import Spectrum
from torchfit.names import FWHM_PER_SIGMA, SPEED_OF_LIGHT
from torchfit.surveys.medium import air_to_vacuum

WAVE = np.linspace(4000.0, 5000.0, 50)
FLUX = np.linspace(1.0, 2.0, 50)
IVAR = np.full(50, 100.0)


def test_wavelengths_in_air_become_vacuum():
    np.testing.assert_array_equal(Spectrum(WAVE, FLUX, medium="vacuum").wave, WAVE)
    np.testing.assert_allclose(Spectrum(WAVE, FLUX, medium="air").wave, air_to_vacuum(WAVE))


@pytest.mark.parametrize("unit", [u.nm, u.um, u.m, u.GHz])
def test_wavelengths_convert_from_any_spectral_unit(unit):
    wave = (WAVE * u.AA).to(unit, u.spectral())
    order = np.argsort(wave.to(u.AA, u.spectral()))
    np.testing.assert_allclose(Spectrum(wave[order], FLUX, medium="vacuum").wave, WAVE)


def test_flux_per_frequency_becomes_flux_per_wavelength():
    """And its inverse variance with it: the signal-to-noise ratio stays."""
    per_wave = FLUX * u.Unit("erg / (s cm2 AA)")
    per_hz = per_wave.to(u.Jy, u.spectral_density(WAVE * u.AA))
    ivar = 100 / per_hz**2
    found = Spectrum(WAVE, per_hz, ivar, medium="vacuum")
    np.testing.assert_allclose(found.flux / found.flux[0], FLUX / FLUX[0])
    np.testing.assert_allclose(found.flux * np.sqrt(found.ivar), 10.0)


@pytest.mark.parametrize("unit", [u.adu, u.ct, u.electron, u.one, u.mJy])
def test_counts_and_densities_are_flux(unit):
    found = Spectrum(WAVE, FLUX * unit, IVAR / unit**2, medium="vacuum")
    assert (found.flux * np.sqrt(found.ivar) > 9.9 * FLUX).all()


def test_a_specutils_spectrum_brings_everything():
    mask = np.zeros(50, bool)
    mask[3] = True
    given = Specutils(
        spectral_axis=WAVE * u.AA, flux=FLUX * u.Jy, mask=mask, redshift=0.001,
        uncertainty=StdDevUncertainty(np.full(50, 0.1)), meta={"name": "star"},
    )  # fmt: skip
    found = Spectrum(given, medium="vacuum")
    assert found.name == "star"
    assert found.z == pytest.approx(0.001)
    assert not found.read().good[3] and found.read().good.sum() == 49
    good = np.flatnonzero(~mask)
    np.testing.assert_allclose((found.flux * np.sqrt(found.ivar))[good], 10 * FLUX[good])


def test_inverse_variances_of_specutils_that_are_not_finite_are_bad_pixels():
    ivar = IVAR.copy()
    ivar[[0, 1]] = np.inf, np.nan
    given = Specutils(
        spectral_axis=WAVE * u.AA, flux=FLUX * u.Jy, uncertainty=InverseVariance(ivar)
    )
    assert (Spectrum(given, medium="vacuum").read().good == (np.arange(50) > 1)).all()


MASK = np.arange(50) == 7
MASKED = {
    "numpy": np.ma.array(FLUX, mask=MASK),
    "astropy": Masked(FLUX, mask=MASK),
    "quantity": Masked(FLUX * u.adu, mask=MASK),
    "column": MaskedColumn(FLUX, mask=MASK, unit="adu"),
}


@pytest.mark.parametrize("kind", MASKED)
def test_what_an_array_masks_is_a_bad_pixel(kind):
    assert (Spectrum(WAVE, MASKED[kind], IVAR, medium="air").read().good == ~MASK).all()
    weight = np.ma.array(IVAR, mask=MASK)
    assert (Spectrum(WAVE, FLUX, weight, medium="air").read().good == ~MASK).all()


def test_columns_of_a_table_have_their_units():
    wave, flux = MaskedColumn(WAVE / 10, unit="nm"), MaskedColumn(FLUX, unit="Jy")
    ivar = MaskedColumn(IVAR, unit="Jy-2")
    found = Spectrum(wave, flux, ivar, medium="vacuum")
    expected = Spectrum(WAVE / 10 * u.nm, FLUX * u.Jy, IVAR / u.Jy**2, medium="vacuum")
    for name in ("wave", "flux", "ivar"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_columns_of_unknown_units_are_numbers():
    columns = [
        MaskedColumn(values, unit=u.Unit(unit, parse_strict="silent"))
        for values, unit in [(WAVE, "ANGS"), (FLUX, "1E-17 ergs"), (IVAR, "1E34 ergs-2")]
    ]
    found = Spectrum(*columns, medium="vacuum")
    np.testing.assert_array_equal(found.wave, WAVE)
    np.testing.assert_array_equal(found.ivar, IVAR)


def test_tensors_may_belong_to_a_graph():
    flux = torch.tensor(FLUX, requires_grad=True)
    np.testing.assert_array_equal(Spectrum(WAVE, flux, medium="vacuum").flux, FLUX)


def test_a_redshift_may_be_a_velocity():
    assert Spectrum(WAVE, FLUX, medium="air", z=30 * u.km / u.s).z == 30 / SPEED_OF_LIGHT
    assert Spectrum(WAVE, FLUX, medium="air", z=0.01 * u.one).z == 0.01


def test_without_errors_there_is_only_a_mask():
    flux = FLUX.copy()
    flux[7] = np.nan
    read = Spectrum(WAVE, flux, medium="air").read()
    assert not read.has_ivar
    assert read.good.sum() == 49


def test_a_resolution_is_one_number_or_one_per_pixel():
    for width in (2.0, 0.2 * u.nm, np.full(50, 2.0)):
        read = Spectrum(WAVE, FLUX, medium="air", lsf_fwhm=width).read()
        np.testing.assert_allclose(read.lsf_sigma, 2 / FWHM_PER_SIGMA)


WRONG = {
    "no medium": ((WAVE, FLUX), {"medium": None}, "air or in vacuum"),
    "unknown medium": ((WAVE, FLUX), {"medium": "water"}, "air or in vacuum"),
    "empty": (([], []), {}, "one row of real numbers"),
    "complex": ((WAVE, FLUX + 1j), {}, "real numbers"),
    "text": ((WAVE, ["a"] * 50), {}, "real numbers"),
    "two rows": ((WAVE, np.ones((2, 50))), {}, "one row"),
    "shorter flux": ((WAVE, FLUX[1:]), {}, "must be equal"),
    "shorter ivar": ((WAVE, FLUX, IVAR[1:]), {}, "must be equal"),
    "not sorted": ((WAVE[::-1], FLUX), {}, "increasing"),
    "repeated": ((np.full(50, 4000.0), FLUX), {}, "increasing"),
    "NaN wave": ((np.full(50, np.nan), FLUX), {}, "finite"),
    "negative wave": ((WAVE - 6000, FLUX), {}, "positive"),
    "NaN only": ((WAVE, FLUX * np.nan), {}, "no good pixel"),
    "no good pixel": ((WAVE, FLUX, IVAR * 0), {}, "no good pixel"),
    "negative ivar": ((WAVE, FLUX, -IVAR), {}, "negative"),
    "wave in kelvin": ((WAVE * u.K, FLUX), {}, "does not convert"),
    "flux in kelvin": ((WAVE, FLUX * u.K), {}, "no flux density"),
    "flux in magnitudes": ((WAVE, u.Magnitude(FLUX, "mag(AB)")), {}, r"flux in mag\(AB\) is no"),
    "flux in decibels": ((WAVE, u.Decibel(FLUX, u.dB(u.Jy))), {}, "is no flux density"),
    "ivar of another unit": ((WAVE, FLUX * u.Jy, IVAR / u.Jy), {}, "does not convert"),
    "z below -1": ((WAVE, FLUX), {"z": -1.5}, "no redshift"),
    "z is NaN": ((WAVE, FLUX), {"z": np.nan}, "no redshift"),
    "z is text": ((WAVE, FLUX), {"z": "fast"}, "no redshift"),
    "z is missing in a table": ((WAVE, FLUX), {"z": pd.NA}, "no redshift"),
    "z is masked": ((WAVE, FLUX), {"z": np.ma.masked}, "no redshift"),
    "z of several stars": ((WAVE, FLUX), {"z": [0.0, 0.1]}, "no redshift"),
    "ragged": (([[1.0], [1.0, 2.0]], FLUX), {}, "one row of real numbers"),
    "z in metres": ((WAVE, FLUX), {"z": 1 * u.m}, "does not convert"),
    "negative resolution": ((WAVE, FLUX), {"lsf_fwhm": -1.0}, "positive"),
    "resolving power": ((WAVE, FLUX), {"lsf_fwhm": 1800.0}, "wavelength / R"),
    "masked resolution": ((WAVE, FLUX), {"lsf_fwhm": np.ma.array(IVAR, mask=MASK)}, "positive"),
    "resolution of other shape": ((WAVE, FLUX), {"lsf_fwhm": np.ones(3)}, "one per pixel"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_refused_in_a_line(case):
    arrays, settings, message = WRONG[case]
    with pytest.raises(SpectrumError, match=message) as error:
        Spectrum(*arrays, **({"medium": "vacuum"} | settings))
    assert "\n" not in str(error.value)


def test_a_repr_is_a_line():
    assert repr(Spectrum(WAVE, FLUX, medium="air", name="x")).startswith("<Spectrum x: 50 pixels")


@pytest.mark.parametrize(("name", "text"), [(np.int64(7), "7"), (7, "7"), (None, "")])
def test_a_name_is_text(name, text):
    """Identifiers of a table are numbers more often than not."""
    assert Spectrum(WAVE, FLUX, medium="air", name=name).name == text


def test_specutils_spectra_that_are_no_spectrum_are_refused_in_a_line():
    one = Specutils(spectral_axis=WAVE * u.AA, flux=FLUX * u.Jy)
    wrong = {
        "one by one": SpectrumCollection.from_spectra([one, one]),
        "does not convert": Specutils(flux=FLUX * u.Jy),
    }
    for message, given in wrong.items():
        with pytest.raises(SpectrumError, match=message):
            Spectrum(given, medium="vacuum")
