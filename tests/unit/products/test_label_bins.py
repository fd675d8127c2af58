import numpy as np
import pandas as pd
import pytest

from torchfit.exceptions import ConfigError
from torchfit.products.label_bins import LabelBins


def stars(n_stars=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "star": 3 * np.arange(n_stars),
            "teff": rng.uniform(4000, 7000, n_stars),
            "logg": rng.uniform(3.5, 4.9, n_stars),
            "fe_h": rng.uniform(-0.6, 0.3, n_stars),
            "snr": rng.uniform(5, 100, n_stars),
        }
    )


BINS = LabelBins(teff_dex=0.05, logg=0.5, fe_h=0.3, min_stars=3, max_stars=6)


def test_stars_of_a_bin_are_alike():
    chosen = BINS.choose(stars())
    for _, rows in chosen.groupby("bin"):
        assert np.ptp(np.log10(rows["teff"])) <= 0.05
        assert np.ptp(rows["logg"]) <= 0.5
        assert np.ptp(rows["fe_h"]) <= 0.3
        assert 3 <= len(rows) <= 6


def test_bins_are_numbered_without_gaps_and_stars_stand_in_order():
    chosen = BINS.choose(stars())
    assert chosen["bin"].unique().tolist() == list(range(chosen["bin"].max() + 1))
    assert chosen["star"].is_unique
    assert all(rows["star"].is_monotonic_increasing for _, rows in chosen.groupby("bin"))
    assert list(chosen.index) == list(range(len(chosen)))


def test_the_best_of_a_bin_are_taken():
    few, many = BINS.choose(stars()), LabelBins(0.05, 0.5, 0.3, min_stars=3).choose(stars())
    same = many.merge(few[["star", "bin"]], on="star", how="left", suffixes=("", "_few"))
    for _, rows in same.groupby("bin"):
        taken = rows["bin_few"].notna()
        if taken.any() and not taken.all():
            assert rows["snr"][taken].min() >= rows["snr"][~taken].max()


def test_order_does_not_matter():
    there, back = BINS.choose(stars()), BINS.choose(stars()[::-1])
    pd.testing.assert_frame_equal(there, back)


def test_labels_that_are_missing_leave_a_star_out():
    some = stars()
    some.loc[[3, 4], "teff"] = [np.nan, -1.0]
    assert not set(BINS.choose(some)["star"]) & {9, 12}


def test_nobody_left_is_no_error():
    assert len(LabelBins(min_stars=50).choose(stars(10))) == 0
    assert len(BINS.choose(stars(0))) == 0


@pytest.mark.parametrize(
    "settings",
    [{"logg": 0.0}, {"teff_dex": np.inf}, {"min_stars": 0}, {"min_stars": 9, "max_stars": 8}],
)
def test_settings_without_sense(settings):
    with pytest.raises(ConfigError, match=r"library\.bins"):
        LabelBins(**settings)
