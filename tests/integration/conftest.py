import pandas as pd
import pytest
from tests.integration import tables, world
from tests.integration.running import launch, run

RESULTS = (
    "catalogue.parquet",
    "catalogue.fits",
    "catalogue.csv",
    "catalogue_columns.csv",
    "rejects.csv",
    "report.html",
)


N_VISITS = 6

EVERYTHING = [
    "catalogue=recommended",
    "catalogue.formats=[parquet,fits,csv,votable,dataset]",
    "crossmatch=[gaia_dr3,bailer_jones,logg_imig]",
    "compare=[labels,apogee_dr16,clusters]",
]
"""Words of the command line that join, choose, and compare."""


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


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """Three stars, each at a place of its own and seen in two nights."""
    root = tmp_path_factory.mktemp("visits")
    labels = world.draw_labels(N_VISITS // 2, seed=8, inset=0.25)
    for number in range(N_VISITS):
        star = number // 2
        header = {
            "RA": 60.0 + star,
            "DEC": 30.0 - star,
            "DESIG": f"LAMOST {star}",
            "MJD": 58000 + number,
            "LMJD": 58001 + number,
        }
        world.make_lamost_star(root / f"{number}.fits", labels[star], number, header=header)
    return root


@pytest.fixture(scope="session")
def measured(cache, artefact, tree, tmp_path_factory):
    """Folder of their catalogue."""
    folder = tmp_path_factory.mktemp("measured")
    ended = run("infer", *world.lamost_options(folder, artefact, tree))
    assert ended.status == 0, ended.err
    return folder


@pytest.fixture(scope="session")
def options(measured, tmp_path_factory):
    """Everything that can be joined and compared."""
    folder = tmp_path_factory.mktemp("tables")
    catalogue = pd.read_parquet(measured / "catalogue.parquet", partitioning=None)
    paths = tables.write_tables(catalogue, folder)
    imig = f"crossmatch.logg_imig.path={measured / 'catalogue.parquet'}"
    return [*EVERYTHING, *paths.values(), imig]


@pytest.fixture(scope="session")
def validated(measured, options, tmp_path_factory):
    """Folder of the validated catalogue, and how the program ended."""
    folder = tmp_path_factory.mktemp("validated")
    ended = run("validate", f"results={measured}", *options, f"hydra.run.dir={folder}")
    assert ended.status == 0, ended.err
    return folder, ended


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
    monkeypatch.setattr("torchfit.run.finish.survey_report", lambda *arguments: "no report")
    monkeypatch.setattr("torchfit.run.train.training_report", lambda *arguments: "no report")
