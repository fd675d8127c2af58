"""A survey of another package, made as docs/surveys.md says, is found when it is installed."""

import re

import pytest
from tests.integration.running import ROOT, launch

READER = """
from torchfit.surveys.tree_reader import TreeReader


class NightReader(TreeReader):
    name = "night"
    lsf_fwhm = 3.0

    def read(self, source):
        raise NotImplementedError
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


def test_it_is_among_the_options_of_an_unknown_one(run):
    assert "night" in run("data=nightly").error


def test_a_package_that_is_gone_harms_no_other(run, site):
    (site / "night_survey-1.0.dist-info" / "entry_points.txt").write_text(
        "[torchfit.surveys]\nnight = nowhere.conf\n"
    )
    assert run("data=stelib", "--cfg", "job").status == 0
