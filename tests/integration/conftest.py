import pandas as pd
import pytest
from tests.integration import world
from tests.integration.running import launch, run

RESULTS = (
    "catalogue.parquet",
    "catalogue.fits",
    "catalogue.csv",
    "catalogue_columns.csv",
    "rejects.csv",
    "report.html",
)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache with the made wheel."""
    return world.make_wheel(tmp_path_factory.mktemp("cache")).parent


@pytest.fixture(autouse=True)
def made_world(cache, monkeypatch):
    """Every test of this folder sees the made wheel and no other."""
    monkeypatch.setenv("TORCHFIT_CACHE", str(cache))


@pytest.fixture(scope="session")
def trained(cache, tmp_path_factory):
    """``python train.py`` in a process of its own, and its folder."""
    folder = tmp_path_factory.mktemp("trained")
    ended = launch("train", *world.train_options(folder), TORCHFIT_CACHE=str(cache))
    assert ended.status == 0, ended.err
    return ended, folder


@pytest.fixture(scope="session")
def artefact(trained):
    return trained[1] / "emulator"


@pytest.fixture(scope="session")
def stelib(cache, artefact, tmp_path_factory):
    """Folder of the measured STELIB stars."""
    folder = tmp_path_factory.mktemp("stelib")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHFIT_CACHE", str(cache))
        ended = run("infer", *world.stelib_options(folder, artefact))
    assert ended.status == 0, ended.err
    return folder


@pytest.fixture(scope="session")
def lamost_tree(tmp_path_factory):
    """Folder of LAMOST files, and a part of the reason of each bad one."""
    root = tmp_path_factory.mktemp("tree")
    world.make_good_lamost(root)
    return root, world.make_bad_lamost(root)


@pytest.fixture(scope="session")
def lamost(artefact, lamost_tree, tmp_path_factory):
    """Folder of the measured LAMOST stars."""
    folder = tmp_path_factory.mktemp("lamost")
    ended = run("infer", *world.lamost_options(folder, artefact, lamost_tree[0]))
    assert ended.status == 0, ended.err
    return folder


@pytest.fixture
def contents():
    """``contents(folder)``: the bytes of every result file."""
    return lambda folder: {name: (folder / name).read_bytes() for name in RESULTS}


@pytest.fixture
def table():
    """``table(folder)``: the catalogue."""
    return lambda folder: pd.read_parquet(folder / "catalogue.parquet", partitioning=None)


@pytest.fixture
def no_report(monkeypatch):
    """Leave the figures out, which take half of a small run."""
    monkeypatch.setattr("torchfit.tasks.survey_report", lambda *arguments: "no report")
    monkeypatch.setattr("torchfit.tasks.training_report", lambda *arguments: "no report")
