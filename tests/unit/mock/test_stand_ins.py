"""Every stand-in is read by the schema of the real catalogue, and finds the stars again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tests.integration.running import ROOT

from torchfit.compare.clusters import Clusters
from torchfit.exceptions import ConfigError
from torchfit.mock.lamost import MockLamostReader
from torchfit.mock.mastar import MockMastarReader
from torchfit.mock.stand_ins import MockTables
from torchfit.run.build import build
from torchfit.surveys.sampled import SampledReader

COMPARED = ("apogee_dr16", "laspm", "pastel", "lasp", "lasp_a", "hotpayne", "gaia_eso", "clusters")
JOINED = ("gaia_dr3", "reddening", "logg_imig")


@pytest.fixture(scope="module")
def reader():
    return SampledReader(MockLamostReader(600, snr=80.0), 512)


@pytest.fixture(scope="module")
def paths(reader, tmp_path_factory):
    return MockTables().write(reader, tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def stars(reader):
    """Our catalogue, were every label measured without an error."""
    rows = [
        {"source": info.source, "obsid": info.obsid, "ra": info.ra, "dec": info.dec,
         "gaia_source_id": info.gaia_source_id if hasattr(info, "gaia_source_id") else "",
         **dict(info.labels)}
        for info in (reader.read(source).info for source in reader.sources())
    ]  # fmt: skip
    return pd.DataFrame(rows)


def catalogue(group, name, paths):
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        cfg = compose("validate", ["results=x", "output_dir=x", f"{group}=[{name}]"])
    for key, path in paths.items():
        if key.startswith(f"{group}.{name}."):
            OmegaConf.update(cfg, key, path, force_add=True)
    made = build(cfg[group])[name]
    made.check()
    return made


@pytest.mark.parametrize("name", [name for name in COMPARED if name != "clusters"])
def test_labels_are_the_true_ones_with_small_errors(name, paths, stars):
    comparison = catalogue("compare", name, paths).compare(stars)
    true = stars[list(comparison.labels)].to_numpy(dtype=float)
    found = np.isfinite(comparison.theirs).all(axis=1)
    assert found.sum() >= 5
    off = (comparison.theirs - true)[found]
    limits = np.array([0.05 * true[found, 0].mean(), 0.2, 0.2, 0.2])[: off.shape[1]]
    assert (np.abs(np.median(off, axis=0)) < limits).all()
    assert off.std(axis=0).min() > 0


def test_members_have_the_metallicity_and_an_isochrone(paths, stars):
    clusters = catalogue("compare", "clusters", paths)
    assert isinstance(clusters, Clusters)
    found = clusters.compare(stars)
    assert {"M67", "M35", "Praesepe"} <= set(found.cluster)
    member = found.cluster != ""
    assert np.abs(stars["fe_h"][member] - found.fe_h[member]).max() < 0.16
    line = found.isochrone("M 67")
    assert line[:, 0].min() > 2500 and (np.diff(line[:, 1]) < 0.2).all()


@pytest.mark.parametrize("name", JOINED)
def test_what_is_joined_is_found(name, paths, stars):
    join = catalogue("crossmatch", name, paths).join(stars)
    assert join.found.mean() > 0.9
    assert np.isfinite(join.columns.select_dtypes(float)[join.found]).any(axis=None)


def test_stars_that_are_no_mock_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no survey of mock stars"):
        MockTables().write(MockMastarReader(20), tmp_path)


def test_the_same_seed_gives_the_same_files(reader, tmp_path):
    some = SampledReader(reader.reader, 64)
    one = MockTables(3).write(some, tmp_path / "one")
    two = MockTables(3).write(some, tmp_path / "two")
    other = MockTables(4).write(some, tmp_path / "other")
    assert set(one) == set(two)
    for key in one:
        assert Path(one[key]).read_bytes() == Path(two[key]).read_bytes()
    key = "compare.pastel.path"
    assert Path(one[key]).read_bytes() != Path(other[key]).read_bytes()
