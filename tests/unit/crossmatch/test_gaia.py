import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from tests.integration.running import ROOT

from torchfit.run.build import build


@pytest.fixture
def gaia(tmp_path):
    """``gaia(columns)``: the real configuration on a made table."""

    def make(**columns):
        path = tmp_path / "gaia.csv"
        pd.DataFrame(columns).to_csv(path, index=False)
        with initialize_config_dir(str(ROOT / "conf"), version_base=None):
            cfg = compose("validate", ["results=x", "crossmatch=[gaia_dr3]", "output_dir=x"])
        cfg.crossmatch.gaia_dr3.path = str(path)
        return build(cfg.crossmatch)["gaia_dr3"]

    return make


ARCHIVE = {
    "source_id": [3428806540132843520],
    "ra": [10.0],
    "dec": [20.0],
    "phot_g_mean_mag": [12.5],
    "phot_bp_mean_mag": [13.0],
    "phot_rp_mean_mag": [12.0],
}
STARS = pd.DataFrame({"gaia_source_id": [""], "ra": [10.0], "dec": [20.0]})


def test_errors_of_magnitudes_follow_from_flux_over_error(gaia):
    ratios = {f"phot_{band}_mean_flux_over_error": [1000.0] for band in ("g", "bp")}
    source = gaia(**ARCHIVE, **ratios)
    source.check()
    columns = source.join(STARS).columns.iloc[0]
    assert columns["gaia_source_id"] == "3428806540132843520"
    assert columns["e_gaia_g"] == pytest.approx(1.0857e-3, rel=1e-4)
    assert np.isnan(columns["e_gaia_rp"])
    assert not any("over_error" in name for name in columns.index)


def test_an_error_that_is_given_is_kept(gaia):
    columns = gaia(**ARCHIVE, e_Gmag=[0.005], RFG=[1.0]).join(STARS).columns.iloc[0]
    assert columns["e_gaia_g"] == 0.005


def test_a_ratio_of_zero_is_no_error(gaia):
    assert np.isnan(gaia(**ARCHIVE, RFG=[0.0]).join(STARS).columns["e_gaia_g"].iloc[0])
