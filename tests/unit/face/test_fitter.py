import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from specutils import Spectrum as Specutils

from torchfit.exceptions import ConfigError, OutsideLibraryWarning, SpectrumError
from torchfit.face.fitter import Fitter
from torchfit.face.spectrum import Spectrum
from torchfit.flags.bits import ResultFlag
from torchfit.names import SPEED_OF_LIGHT

TRUTH = (5700.0, 3.0, -0.5)
OTHERS = [(5200.0, 2.0, -1.0), TRUTH, (6300.0, 4.0, 0.1)]
LABELS = ("teff", "logg", "fe_h")


@pytest.fixture(scope="module")
def fitter(face):
    return Fitter(face)


@pytest.fixture(scope="module")
def result(fitter, make_spectrum):
    return fitter.fit(make_spectrum(TRUTH, name="one"))


@pytest.fixture(scope="module")
def results(fitter, make_spectrum):
    return fitter.fit([make_spectrum(labels, seed=n) for n, labels in enumerate(OTHERS)])


def test_labels_of_one_spectrum_are_numbers_near_the_truth(result):
    for name, value in zip(LABELS, TRUTH, strict=True):
        assert isinstance(getattr(result, name), float)
        assert abs(getattr(result, name) - value) < 5 * getattr(result, f"e_{name}")
    assert isinstance(result.flags, ResultFlag)
    assert result.model.shape == result.flux.shape == result.wave.shape


def test_labels_of_several_are_arrays(results):
    assert results.teff.shape == (3,)
    assert (np.diff(results.teff) > 0).all()
    assert results.flags.shape == (3,)
    assert results.model.shape == (3, len(results.wave))
    assert results[1].teff == results.teff[1]
    assert results[-1].teff == results.teff[-1]
    with pytest.raises(IndexError, match="spectrum 3 of a FitResult of 3"):
        results[3]


@pytest.mark.parametrize("place", [slice(0, 2), [0, 1], "teff", np.array([True, False, True])])
def test_one_place_is_one_number(results, place):
    with pytest.raises(TypeError, match="one whole number"):
        results[place]


def test_one_spectrum_is_no_list_of_exposures(fitter, make_spectrum):
    with pytest.raises(SpectrumError, match="list of exposures"):
        fitter.fit_joint(make_spectrum(TRUTH))


def test_company_does_not_matter(fitter, results, make_spectrum):
    alone = fitter.fit(make_spectrum(OTHERS[2], seed=2))
    assert alone.teff == pytest.approx(results.teff[2], rel=1e-9)


def test_a_specutils_spectrum_that_says_its_medium(fitter, make_spectrum, result):
    ours = make_spectrum(TRUTH)
    given = Specutils(
        spectral_axis=ours.wave * u.AA, flux=ours.flux * u.one, meta={"medium": "vacuum"}
    )
    found = fitter.fit(given)
    assert abs(found.v_ccf) < 5 * found.e_v_ccf
    assert ResultFlag.NO_ERRORS in found.flags
    assert found.teff == pytest.approx(result.teff, abs=3 * result.e_teff)
    with pytest.raises(SpectrumError, match="air or in vacuum"):
        fitter.fit(Specutils(spectral_axis=ours.wave * u.AA, flux=ours.flux * u.one))


def test_the_scale_of_the_flux_does_not_matter(fitter, make_spectrum, result):
    ours = make_spectrum(TRUTH)
    unit = u.Unit("1e-17 erg / (s cm2 AA)")
    ivar = ours.ivar / 49 / unit**2
    scaled = Spectrum(ours.wave, 7 * ours.flux * unit, ivar, medium="vacuum", z=0)
    assert fitter.fit(scaled).teff == pytest.approx(result.teff, rel=1e-6)


def test_a_redshift_is_taken_out(fitter, make_spectrum, result):
    ours = make_spectrum(TRUTH)
    z = 1e-3
    moved = Spectrum(ours.wave * (1 + z), ours.flux, ours.ivar, medium="vacuum", z=z)
    assert fitter.fit(moved).teff == pytest.approx(result.teff, rel=1e-6)


@pytest.mark.parametrize("velocity", [-300.0, 0.0, 300.0])
def test_a_redshift_that_is_not_given_is_measured(fitter, make_spectrum, result, velocity):
    ours = make_spectrum(TRUTH)
    stretch = 1 + velocity / SPEED_OF_LIGHT
    moved = Spectrum(ours.wave * stretch, ours.flux, ours.ivar, medium="vacuum")
    found = fitter.fit(moved)
    assert abs(found.v_ccf + found.v_rad - velocity) < 5 * found.e_v_ccf
    assert found.z == found.v_ccf / SPEED_OF_LIGHT
    assert found.ccf_ratio < 0.6 and ResultFlag.UNSURE_VELOCITY not in found.flags
    assert found.teff == pytest.approx(result.teff, abs=2 * result.e_teff)


def test_a_redshift_that_is_given_is_not_measured(results):
    assert (results.z == 0).all()
    assert np.isnan(results.v_ccf).all() and np.isnan(results.e_v_ccf).all()
    assert not (results.flags & ResultFlag.UNSURE_VELOCITY).any()
    assert {"z", "v_ccf", "e_v_ccf", "ccf_ratio"} <= set(results.to_table().columns)


def test_noise_has_no_velocity_to_be_sure_of(fitter, make_spectrum):
    ours = make_spectrum(TRUTH)
    noise = 1 + 5 * np.random.default_rng(0).normal(size=len(ours.wave))
    found = fitter.fit(Spectrum(ours.wave, noise, 0.04 * np.ones_like(noise), medium="vacuum"))
    assert ResultFlag.UNSURE_VELOCITY in found.flags


def test_spectra_of_several_resolutions_in_one_call(fitter, make_spectrum):
    sharp, blurred = make_spectrum(TRUTH), make_spectrum(TRUTH, lsf_fwhm=4.0)
    both = fitter.fit([sharp, blurred, sharp])
    assert both.teff[0] == both.teff[2] == pytest.approx(fitter.fit(sharp).teff, rel=1e-9)
    assert both.teff[1] == pytest.approx(fitter.fit(blurred).teff, rel=1e-9)
    assert both.teff[1] != both.teff[0]


def test_the_settings_of_a_survey_are_near_the_default(face, make_spectrum, results):
    fast = Fitter(face, "survey").fit([make_spectrum(x, seed=n) for n, x in enumerate(OTHERS)])
    assert (abs(fast.teff - results.teff) < results.e_teff).all()


def test_tables_have_units(results):
    table = results.to_table()
    assert isinstance(table, QTable)
    assert table["teff"].unit == table["e_teff"].unit == u.K
    assert table["v_rad"].unit == u.km / u.s
    assert list(results.to_pandas().columns) == table.colnames
    np.testing.assert_array_equal(results.to_pandas()["logg"], results.logg)


def test_percentiles_are_attributes(result, results):
    ends = [getattr(result, f"teff_{end}") for end in ("lower95", "lower68", "upper68", "upper95")]
    assert ends == sorted(ends)
    assert ends[1] < result.teff < ends[2]
    np.testing.assert_allclose(results.logg_upper68 - results.logg, results.e_logg)
    with pytest.raises(AttributeError, match="vsini_lower95"):
        _ = result.vsini_lower95


def test_a_plot_returns_its_axes(result, results):
    axes = result.plot()
    assert result.plot(axes) is axes
    with pytest.raises(ValueError, match=r"result\[0\]"):
        results.plot()


def test_an_unknown_column_names_the_known_ones(result):
    with pytest.raises(AttributeError, match=r"no tef; its columns are teff, e_teff"):
        _ = result.tef
    assert "e_logg" in dir(result)


def test_reprs_fit_on_a_screen(fitter, result, make_spectrum):
    many = fitter.fit([make_spectrum(TRUTH)] * 30)
    for value in (fitter, result, many):
        assert len(repr(value).splitlines()) <= 10


def test_flags_are_explained(result):
    assert any(line.startswith("NO_ALPHA_FE: ") for line in result.explain())


def test_a_star_from_beyond_the_library_is_never_silent(fitter, make_spectrum):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = fitter.fit(make_spectrum((9500.0, 5.5, 1.5)))
    warned = any(issubclass(each.category, OutsideLibraryWarning) for each in said)
    assert warned == bool(found.flags & ResultFlag.OUTSIDE_SUPPORT)
    assert found.flags & (ResultFlag.OUTSIDE_SUPPORT | ResultFlag.EDGE | ResultFlag.POOR_MATCH)


@pytest.mark.parametrize("bad", [3, None, "spectrum.fits", np.ones(3), [1.0]])
def test_what_is_no_spectrum_is_refused(fitter, bad):
    with pytest.raises(SpectrumError):
        fitter.fit(bad)


def test_an_empty_list_is_refused(fitter):
    with pytest.raises(SpectrumError, match="empty"):
        fitter.fit([])


def test_a_spectrum_of_another_range_is_refused(fitter, make_spectrum):
    ours = make_spectrum(TRUTH)
    far = Spectrum(3 * ours.wave, ours.flux, ours.ivar, medium="vacuum", name="far")
    with pytest.raises(SpectrumError, match=r"far.*no good pixel within 4000-4399"):
        fitter.fit([ours, far])


def test_one_exposure_of_a_star_is_the_usual_fit(fitter, make_spectrum):
    spectra = [make_spectrum(labels, seed=n) for n, labels in enumerate(OTHERS)]
    usual, joint = fitter.fit(spectra), fitter.fit_joint([[each] for each in spectra])
    for name in usual.columns:
        np.testing.assert_array_equal(getattr(usual, name), getattr(joint, name))
    np.testing.assert_array_equal(usual.flags, joint.flags)
    assert usual.exposures is None
    assert list(joint.exposures["star"]) == [0, 1, 2]


def test_exposures_of_a_star_have_one_set_of_labels_and_velocities_of_their_own(
    fitter, make_spectrum
):
    """The redshift that is given of the first is true, those of the others are 30 km/s too low."""
    velocity = 30.0
    flat = [make_spectrum(TRUTH, seed=n, name=f"visit {n}") for n in range(4)]
    moved = [flat[0], *(each.at_redshift(-velocity / SPEED_OF_LIGHT) for each in flat[1:])]
    result = fitter.fit_joint(moved)
    assert result.one
    assert result.names == ("visit 0",)
    single = fitter.fit(flat[0])
    for name, value in zip(LABELS, TRUTH, strict=True):
        error = getattr(result, f"e_{name}")
        assert abs(getattr(result, name) - value) < 5 * error
        assert error < getattr(single, f"e_{name}")
    table = result.exposures
    assert list(table["name"]) == [f"visit {n}" for n in range(4)]
    off = table["v_rad"].to_value("km/s")
    assert np.abs(off[1:] - off[0] - velocity).max() < 0.4 * velocity
    assert result.n_pix > 3 * single.n_pix


def test_stars_of_differing_numbers_of_exposures(fitter, make_spectrum):
    given = [
        [make_spectrum(labels, seed=10 * star + n) for n in range(star + 1)]
        for star, labels in enumerate(OTHERS)
    ]
    results = fitter.fit_joint(given)
    assert results.teff.shape == (3,)
    assert list(results.exposures["star"]) == [0, 1, 1, 2, 2, 2]
    assert len(results[2].exposures) == 3
    alone = fitter.fit_joint(given[2])
    assert alone.teff == pytest.approx(results.teff[2], rel=1e-9)


def test_arms_are_exposures_of_other_pixels(fitter, make_spectrum):
    """Each with its own resolution, where they do not overlap."""
    whole = make_spectrum(TRUTH)
    arms = [
        Spectrum(
            whole.wave[part], whole.flux[part], whole.ivar[part], medium="vacuum", z=0.0, **lsf
        )
        for part, lsf in ((slice(210), {"lsf_fwhm": 8.0}), (slice(215, None), {"lsf_fwhm": 5.0}))
    ]
    result = fitter.fit_joint(arms)
    for name, value in zip(LABELS, TRUTH, strict=True):
        assert abs(getattr(result, name) - value) < 6 * getattr(result, f"e_{name}")
    with pytest.raises(SpectrumError, match="differ in resolution"):
        fitter.fit_joint([whole, make_spectrum(TRUTH, seed=1, lsf_fwhm=20.0)])


@pytest.mark.parametrize("given", [[], [[]]])
def test_a_star_without_exposures_is_refused(fitter, given):
    with pytest.raises(SpectrumError, match="there is no spectrum to fit"):
        fitter.fit_joint(given)


def test_a_spectrum_of_less_pixels_than_unknowns_is_refused(fitter, make_spectrum):
    ours = make_spectrum(TRUTH)
    ivar = np.where(np.arange(len(ours)) < 5, ours.ivar, 0.0)
    few = Spectrum(ours.wave, ours.flux, ivar, medium="vacuum", z=0.0, name="few")
    with pytest.raises(SpectrumError, match=r"few.*has 5 good pixel.*a fit needs 17"):
        fitter.fit(few)


def test_what_is_no_preset_is_refused(face):
    with pytest.raises(ConfigError, match="default, survey"):
        Fitter(face, "fast")
