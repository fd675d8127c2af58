import numpy as np
import pandas as pd
import pytest

from torchfit.exceptions import DataError
from torchfit.files.model_spectra import BAD, OUTLIER, ModelSpectra
from torchfit.files.model_writers import WRITERS
from torchfit.products.label_bins import LabelBins
from torchfit.products.survey_library import SurveyLibrary, library_table, mean_labels

WAVE = np.arange(5000.0, 5300.0)
BINS = LabelBins(teff_dex=0.05, logg=1.0, fe_h=1.0, min_stars=4, max_stars=9)
SHARED, NOISE = 150, 0.02


def line_depth(teff):
    return 0.3 + (teff - 5000) / 5000


def truth(teff):
    """What the emulator says of a star, without the feature that all stars share."""
    return 1 - line_depth(teff)[:, None] * np.exp(-0.5 * ((WAVE - 5100) / 3) ** 2)


@pytest.fixture
def good():
    """Thirty stars of two temperatures, numbered by twos, and one far from all others."""
    rng = np.random.default_rng(1)
    teff = np.repeat([5000.0, 6000.0, 9000.0], [15, 15, 1])
    n = len(teff)
    errors = {f"e_{name}_{kind}": np.full(n, 0.1) for name in ("teff", "logg", "fe_h")
              for kind in ("ran", "sys")}  # fmt: skip
    return pd.DataFrame(
        {
            "star": 2 * np.arange(n), "teff": teff, "logg": 4.4, "fe_h": -0.2, "v_rad": 0.0,
            "snr_g": rng.uniform(10, 90, n), "snr_r": np.nan, **errors,
        }
    )  # fmt: skip


@pytest.fixture
def models(good, tmp_path):
    """Their spectra in two parts: noise, a feature the emulator does not know, a cosmic ray."""
    rng = np.random.default_rng(2)
    n, model = len(good), truth(good["teff"].to_numpy())
    flux = model + NOISE * rng.standard_normal(model.shape)
    flux[:, SHARED] -= 0.3
    continuum = np.linspace(0.9, 1.1, len(WAVE)) * np.ones((n, 1))
    flux *= continuum
    ivar = (NOISE * continuum) ** -2.0
    mask = np.zeros(flux.shape, np.uint8)
    mask[:, SHARED] = OUTLIER
    mask[3, :20], flux[3, :20] = BAD, np.nan
    flux[5, 40] = 5.0
    folder = tmp_path / "models"
    folder.mkdir()
    spectra = ModelSpectra(
        WAVE, np.full(len(WAVE), 3.0), good["star"].to_numpy(), [str(s) for s in good["star"]],
        flux, ivar, mask, model, continuum,
    )  # fmt: skip
    for number, some in enumerate((slice(0, 11), slice(11, None))):
        WRITERS["parquet"](folder / f"part-{number:06d}.parquet", spectra[some], {})
    return folder


@pytest.fixture
def made(good, models, tmp_path):
    maker = SurveyLibrary(BINS)
    chosen = maker.choose(good)
    return chosen, list(maker.templates(chosen, models, tmp_path))


def test_a_template_is_of_the_best_stars_of_its_bin(made):
    chosen, templates = made
    assert [each.n_stars for each in templates] == [9, 9]
    assert [each.labels["teff"] for each in templates] == pytest.approx([5000, 6000])
    assert len(chosen) == 18
    for _, rows in chosen.groupby("bin"):
        assert rows["snr"].min() > 10


def test_coadding_gains_the_root_of_the_number(made):
    for each in made[1]:
        assert each.snr / each.snr_star == pytest.approx(3, rel=0.1)


def test_the_flux_is_that_of_the_stars_over_their_continua(made):
    for each, teff in zip(made[1], (5000.0, 6000.0), strict=True):
        expected = truth(np.array([teff]))[0]
        expected[SHARED] -= 0.3
        error = each.mean.ivar.numpy() ** -0.5
        assert np.abs((each.mean.flux.numpy() - expected) / error)[2:-2].max() < 5


def test_what_all_share_is_left_against_the_emulator(made):
    for each in made[1]:
        assert each.residual[SHARED] == pytest.approx(-0.3, abs=0.05)
        assert abs(np.delete(each.residual, SHARED)).max() < 0.05


def test_masked_pixels_and_cosmic_rays_do_not_contribute(made):
    chosen, templates = made
    n = templates[0].mean.n_contributors.numpy()
    assert n[60:].max() == 9
    if 6 in chosen["star"].to_numpy():
        assert (n[2:18] == 8).all()
    if 10 in chosen["star"].to_numpy():
        assert n[40] <= 8
    assert {6, 10} & set(chosen["star"])


def test_labels_are_weighted_and_systematic_errors_do_not_average_down(good):
    some = good[:4].assign(teff=[5000.0, 5100, 5200, 5300], e_teff_ran=40.0, e_teff_sys=30.0)
    found = mean_labels(some, np.array([1.0, 1, 1, 1]))
    assert found["teff"] == pytest.approx(5150)
    assert found["e_teff"] == pytest.approx(np.hypot(40 / 2, 30))
    assert mean_labels(some, np.array([0.0, 0, 0, 2]))["teff"] == pytest.approx(5300)
    assert "alpha_fe" not in found


def test_the_table_has_what_a_library_needs(made):
    table = library_table(made[1], WAVE, np.full(len(WAVE), 3.0))
    assert table["name"].is_unique
    assert {"teff", "e_teff", "logg", "fe_h", "n_stars"} <= set(table)
    for row in table.itertuples():
        for array in (row.wave, row.flux, row.ivar, row.lsf_fwhm, row.n_contributors, row.model):
            assert array.shape == WAVE.shape
        assert np.isfinite(row.flux).all() and (row.ivar >= 0).all()


def test_too_few_stars_for_any_bin_is_one_line(good):
    with pytest.raises(DataError, match=r"min_stars=4 of the 3 good stars"):
        SurveyLibrary(BINS).choose(good[:3])


def test_a_star_without_a_spectrum_is_an_error(good, models, tmp_path):
    (models / "part-000001.parquet").unlink()
    maker = SurveyLibrary(BINS)
    with pytest.raises(DataError, match="chosen stars: run infer again"):
        list(maker.templates(maker.choose(good), models, tmp_path))
