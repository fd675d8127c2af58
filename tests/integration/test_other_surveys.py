"""A survey of another package, made as docs/surveys.md says, is found when it is installed."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.integration import world
from tests.integration.running import ROOT, launch

READER = """
from pathlib import Path

import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.tree_reader import TreeReader


class NightReader(TreeReader):
    name = "night"
    lsf_fwhm = 3.0

    def takes(self, name):
        return name.endswith(".txt")

    def read(self, source):
        try:
            wave, flux, ivar = np.loadtxt(self.file_of(source)).T
        except ValueError as error:
            raise SpectrumError(f"{source}: no three columns of numbers") from error
        star, _, visit = Path(source).stem.partition("-")
        return Spectrum(wave, flux, ivar, StarInfo(source, uid=star, mjd=60000 + int(visit)))
"""
NODE = """
defaults:
  - override /pack@_global_.pack: lamost

_target_: night_survey.reader.NightReader
root: ???
pattern: null
listed: null
"""


@pytest.fixture
def site(tmp_path):
    """A folder as an installer leaves it: the package, and what its distribution declares."""
    text = (ROOT / "docs" / "surveys.md").read_text(encoding="utf-8")
    table = re.search(r'entry-points\."(.+?)"\]\nNAME = "(.+?)"', text)
    assert table is not None
    group, value = table.groups()
    info = tmp_path / "night_survey-1.0.dist-info"
    conf = tmp_path / "night_survey" / value.partition(".")[2]
    (conf / "data").mkdir(parents=True)
    for package in (conf.parent, conf):
        (package / "__init__.py").write_text("")
    (conf.parent / "reader.py").write_text(READER)
    (conf / "data" / "night.yaml").write_text(NODE)
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: night-survey\nVersion: 1.0\n")
    point = value.replace("my_package", "night_survey")
    (info / "entry_points.txt").write_text(f"[{group}]\nnight = {point}\n")
    return tmp_path


@pytest.fixture
def run(site, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT / 'src'}")
    return lambda *options: launch("infer", f"hydra.run.dir={tmp_path / 'out'}", *options)


def test_its_configuration_is_found_with_what_it_chooses(run):
    ended = run("data=night", "data.root=spectra", "--cfg", "job")
    assert ended.status == 0, ended.err
    assert "_target_: night_survey.reader.NightReader" in ended.out
    assert "5570.0" in ended.out


@pytest.fixture
def night(tmp_path):
    """Files of the survey: three visits of a star, one of another, and a file that is none."""
    wave, labels = np.arange(3700.0, 7400.0, 1.0), world.draw_labels(2, 7, inset=0.3)
    (tmp_path / "spectra").mkdir()
    for name, star in (("a-1", 0), ("b-1", 1), ("a-2", 0), ("a-3", 0)):
        flux = world.flux_of(labels[star], wave, 3.0)
        sigma = 0.02 * np.ones_like(wave)
        noisy = flux + sigma * np.random.default_rng(len(name) + star).normal(size=wave.shape)
        columns = np.column_stack([wave, noisy, sigma**-2])
        np.savetxt(tmp_path / "spectra" / f"{name}.txt", columns)
    (tmp_path / "spectra" / "c-1.txt").write_text("no number")
    return tmp_path / "spectra", labels


@pytest.mark.slow
def test_it_is_measured_and_its_visits_are_fitted_together(run, night, artefact, tmp_path):
    """One word more for any survey: visits of one star become one row of the catalogue."""
    root, labels = night
    ended = run("data=night", f"data.root={root}", "data.joint=true", f"artefact={artefact}")
    assert ended.status == 0, ended.err
    table = pd.read_parquet(tmp_path / "out" / "catalogue.parquet").set_index("uid")
    assert table["n_exposures"].to_dict() == {"a": 3, "b": 1}
    assert abs(table.loc[["a", "b"], "teff"].to_numpy() - labels[:, 0]).max() < 300
    assert table.loc["a", "n_pix"] > 2.5 * table.loc["b", "n_pix"]
    exposures = pd.read_parquet(tmp_path / "out" / "exposures.parquet")
    assert exposures["source"].tolist() == ["a-1.txt", "a-2.txt", "a-3.txt"]
    assert set(exposures["star"]) == {table.loc["a", "star"]}
    assert exposures["v_rad"].notna().all()
    rejects = pd.read_csv(tmp_path / "out" / "rejects.csv")
    assert rejects.values.tolist() == [["c-1.txt", "no three columns of numbers"]]


def test_it_is_among_the_options_of_an_unknown_one(run):
    assert "night" in run("data=nightly").error


def test_a_package_that_is_gone_harms_no_other(run, site):
    (site / "night_survey-1.0.dist-info" / "entry_points.txt").write_text(
        "[torchfit.surveys]\nnight = nowhere.conf\n"
    )
    assert run("data=stelib", "--cfg", "job").status == 0
