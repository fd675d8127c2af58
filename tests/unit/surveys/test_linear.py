import numpy as np
import pytest
from astropy.io import fits

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import FitsUnit
from torchfit.files.fits_header import FitsHeader
from torchfit.spectra import StarInfo
from torchfit.surveys.linear import linear_air_spectrum
from torchfit.surveys.medium import air_to_vacuum

INFO = StarInfo("made")


def unit_of(image, **cards):
    axis = {"CRVAL1": 4000.0, "CDELT1": 0.5, "CRPIX1": 1.0, **cards}
    header = FitsHeader.parse(fits.Header({"SIMPLE": True, **axis}).tostring().encode())
    return FitsUnit(header, image=np.asarray(image, dtype=np.float64))


def test_axis_is_linear_in_air():
    spectrum = linear_air_spectrum(unit_of([1, 2, 3]), INFO)
    np.testing.assert_array_equal(spectrum.wave, air_to_vacuum(np.array([4000, 4000.5, 4001])))
    assert not spectrum.has_ivar


def test_reference_pixel_counts():
    spectrum = linear_air_spectrum(unit_of([1, 2, 3], CRPIX1=3.0), INFO)
    assert spectrum.wave[2] == air_to_vacuum(np.array([4000.0]))


def test_only_positive_flux_is_good():
    spectrum = linear_air_spectrum(unit_of([1, 0, -1, np.nan, np.inf, 2]), INFO)
    np.testing.assert_array_equal(spectrum.ivar, [1, 0, 0, 0, 0, 1])


@pytest.mark.parametrize(
    "unit",
    [
        FitsUnit(FitsHeader({})),
        unit_of([[1, 2], [3, 4]]),
        unit_of([1, 2], CRVAL1="none"),
        unit_of([0, 0]),
    ],
    ids=["no image", "two dimensions", "no axis", "nothing observed"],
)
def test_a_useless_unit_is_one_bad_spectrum(unit):
    with pytest.raises(SpectrumError, match="made"):
        linear_air_spectrum(unit, INFO)
