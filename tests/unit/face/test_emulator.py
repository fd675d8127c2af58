import warnings

import astropy.units as u
import numpy as np
import pytest
import torch
from astropy.table import QTable, Table

from torchfit.exceptions import LabelError, OutsideLibraryWarning, SpectrumError
from torchfit.face.emulator import Emulator
from torchfit.face.load import load

INSIDE = {"teff": 5700.0, "logg": 3.0, "fe_h": -0.5}


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_flux_is_the_emulators(face, masked_emulator, assert_close):
    known = masked_emulator.flux_pca.good.numpy()
    expected = masked_emulator.flux(torch.tensor([list(INSIDE.values())], dtype=torch.float64))[0]
    flux = face.predict(**INSIDE)
    assert flux.shape == face.wave.shape
    assert_close(flux[known], expected[known])
    assert np.isnan(flux[~known]).all()
    np.testing.assert_array_equal(face.predict(*INSIDE.values()), flux)
    np.testing.assert_array_equal(face.predict(5700 * u.K, logg=3, fe_h=-0.5), flux)


@pytest.mark.parametrize(
    ("teff", "logg", "shape"),
    [(5700.0, 3.0, ()), ([5600, 5700], 3.0, (2,)), ([[5600], [5700]], [2.5, 3, 3.5], (2, 3))],
)
def test_labels_are_broadcast(face, teff, logg, shape):
    flux, std = face.predict(teff, logg, -0.5, return_std=True)
    assert flux.shape == std.shape == (*shape, len(face.wave))
    _, cov = face.predict(teff, logg, -0.5, return_cov=True)
    assert cov.shape == (*shape, len(face.wave), len(face.wave))


def test_the_deviation_is_the_root_of_the_diagonal(face, masked_emulator, assert_close):
    known = masked_emulator.flux_pca.good.numpy()
    _, std = face.predict(**INSIDE, return_std=True)
    _, cov = face.predict(**INSIDE, return_cov=True)
    assert_close(std[known] ** 2, np.diagonal(cov)[known])
    unit = masked_emulator.scaler.to_unit(torch.tensor([[5700.0, 3.0, -0.5]]).double())
    basis = masked_emulator.basis.numpy()[known]
    variance = masked_emulator.gp.variance(unit).numpy()
    assert_close(cov[np.ix_(known, known)], variance * basis @ basis.T)


def test_labels_of_a_catalogue_have_its_units(face):
    """As a table of astropy gives them: logarithms are quantities too."""
    gravity = u.Unit("dex(cm/s2)")
    table = Table([[5700.0], [3.0], [-0.5]], names=["teff", "logg", "fe_h"])
    for name, unit in {"teff": "K", "logg": gravity, "fe_h": "dex"}.items():
        table[name].unit = unit
    expected = face.predict(5700.0, 3.0, -0.5)
    for columns in (table, QTable(table)):
        found = face.predict(*(columns[name] for name in columns.colnames))
        np.testing.assert_array_equal(found[0], expected)
    in_metres = 1.0 * u.dex(u.m / u.s**2)
    np.testing.assert_allclose(face.predict(5700.0, in_metres, -0.5), expected)


WRONG = {
    "order": ((3.0, 5700.0, -0.5), {}, "order of labels is teff, logg, fe_h"),
    "missing": ((5700.0, 3.0), {}, "fe_h missing"),
    "too many": ((5700.0, 3.0, -0.5, 0.1), {}, "each once"),
    "twice": ((5700.0, 3.0, -0.5), {"teff": 5000.0}, "each once"),
    "unknown": ((5700.0, 3.0), {"feh": 0.0}, "fe_h missing"),
    "NaN": ((np.nan, 3.0, -0.5), {}, "finite"),
    "complex": ((5700 + 1j, 3.0, -0.5), {}, "real numbers"),
    "empty": (([], 3.0, -0.5), {}, "real numbers"),
    "text": (("hot", 3.0, -0.5), {}, "real numbers"),
    "negative": ((-10.0, 3.0, -0.5), {}, "far from"),
    "shapes": (([5700.0] * 2, [3.0] * 3, -0.5), {}, "do not broadcast"),
    "masked": ((np.ma.array([5700.0, 5800.0], mask=[0, 1]), 3.0, -0.5), {}, "finite"),
    "gravity in kelvin": ((5700.0, 3.0 * u.K, -0.5), {}, "does not convert"),
    "units": ((5700 * u.m, 3.0, -0.5), {}, "does not convert to K"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_labels_are_refused_in_a_line(face, case):
    labels, named, message = WRONG[case]
    with pytest.raises(LabelError, match=message) as error:
        face.predict(*labels, **named)
    assert "\n" not in str(error.value)


def test_outside_the_library_is_never_silent(face):
    with pytest.warns(OutsideLibraryWarning, match="extrapolates"):
        face.predict(8500.0, 5.5, 1.2)
    assert not face.is_supported(8500.0, 5.5, 1.2)
    assert face.is_supported(**INSIDE)


def test_lower_resolution_is_a_new_emulator(face):
    smooth = face.at_resolution(6.0)
    assert smooth is not face
    assert np.nanstd(smooth.predict(**INSIDE)) < np.nanstd(face.predict(**INSIDE))


def test_it_is_shared_as_a_folder(face, tmp_path):
    face.save(tmp_path / "emulator")
    again = load(tmp_path / "emulator")
    np.testing.assert_allclose(again.predict(**INSIDE), face.predict(**INSIDE), rtol=1e-6)


def test_a_plot_returns_its_axes(face):
    axes = face.plot([5600.0, 5800.0], 3.0, -0.5)
    assert len(axes.lines) == 2
    assert face.plot(**INSIDE, axes=axes) is axes
    assert len(axes.lines) == 3


def test_a_repr_fits_on_a_screen(face):
    lines = repr(face).splitlines()
    assert len(lines) <= 4
    assert max(map(len, lines)) <= 120


def test_ranges_are_those_of_the_library(face, library):
    assert list(face.ranges) == list(face.label_names)
    assert face.ranges["teff"] == (library.labels[:, 0].min(), library.labels[:, 0].max())
    assert isinstance(face, Emulator)


@pytest.mark.parametrize("width", [np.nan, -1.0, 0, 2j, [1.0, 2.0], [], "narrow", None])
def test_an_impossible_resolution_is_refused(face, width):
    with pytest.raises(SpectrumError, match="lsf_fwhm must be positive"):
        face.at_resolution(width)
