import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest

from torchfit.crossmatch.dust import BayestarMap
from torchfit.crossmatch.external import NO_FILE
from torchfit.exceptions import ConfigError, DataError

STARS = pd.DataFrame(
    {
        "ra": [10.0, 20.0, np.nan, 30.0, 40.0],
        "dec": [10.0, 20.0, 0.0, 0.0, 5.0],
        "r_geo": [1000.0, 100.0, 100.0, np.nan, 0.0],
    }
)
needs_dustmaps = pytest.mark.skipif(
    importlib.util.find_spec("dustmaps") is None, reason="pip install 'torchfit[dust]'"
)


@pytest.fixture
def bayestar(tmp_path):
    """A map of the real format: 12 pixels, three samples, four distances."""
    h5py = pytest.importorskip("h5py")
    fields = [("nside", "i4"), ("healpix_index", "i8"), ("converged", "i1")]
    pixels = np.zeros(12, [*fields, ("DM_reliable_min", "f4"), ("DM_reliable_max", "f4")])
    pixels["nside"], pixels["healpix_index"], pixels["converged"] = 1, np.arange(12), 1
    steps = np.arange(4.0)
    with h5py.File(tmp_path / "map.h5", "w") as file:
        info = file.create_dataset("pixel_info", data=pixels)
        info.attrs["DM_bin_edges"] = np.array([5.0, 8.0, 11.0, 14.0])
        samples = np.array([0.0, 1.0, 5.0])[:, None] + steps
        file["samples"] = np.tile(samples, (12, 1, 1)).astype("f4")
        file["best_fit"] = np.tile(steps + 0.5, (12, 1)).astype("f4")
    return str(tmp_path / "map.h5")


@needs_dustmaps
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("mode", "near"), [("median", 1.0), ("mean", 2.0), ("best", 0.5)])
def test_reddening_is_that_of_the_map_at_the_distance(bayestar, mode, near, capfd):
    source = BayestarMap(bayestar, mode, 0.5)
    source.check()
    join = source.join(STARS)
    # Distance modulus 10 lies two thirds between the bins at 8 and 11, modulus 5 in the first.
    expected = [0.5 * (near + 5 / 3), 0.5 * near, np.nan, np.nan, np.nan]
    np.testing.assert_allclose(join.columns["ebv_bayes19"], expected, rtol=1e-5)
    assert join.line["found"] == 2
    assert capfd.readouterr().out == ""


@needs_dustmaps
@pytest.mark.filterwarnings("ignore")
def test_another_file_is_no_map(tmp_path):
    (tmp_path / "x.h5").write_text("no map")
    with pytest.raises(DataError, match="no map of Bayestar"):
        BayestarMap(str(tmp_path / "x.h5")).join(STARS)


def test_without_a_map_the_column_is_missing_and_it_is_said():
    source = BayestarMap(None)
    source.check()
    join = source.join(STARS)
    assert join.columns["ebv_bayes19"].isna().all()
    assert join.line["file"] == NO_FILE


def test_a_missing_map_is_found_before_the_work(tmp_path):
    with pytest.raises(DataError, match="no such map"):
        BayestarMap(str(tmp_path / "nowhere.h5")).check()


def test_without_the_package_it_is_said_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "map.h5").touch()
    monkeypatch.setitem(sys.modules, "dustmaps", None)
    monkeypatch.setitem(sys.modules, "dustmaps.bayestar", None)
    with pytest.raises(DataError, match=r"pip install 'torchfit\[dust\]'"):
        BayestarMap(str(tmp_path / "map.h5")).check()


@pytest.mark.parametrize("settings", [{"mode": "random_sample"}, {"scale": 0.0}])
def test_a_random_reddening_is_refused(settings):
    with pytest.raises(ConfigError, match="bayestar19"):
        BayestarMap(None, **settings)
