"""A survey is killed at any moment, in any of its processes, again and again: nothing is lost."""

import random
import shutil
import signal
import sys
import time

import pytest
from tests.integration import world
from tests.integration.family import Family

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes where Linux lists them"),
]
KILLS = 20
ONE = ["trainer.devices=1", "pack.workers=0"]
SEVERAL = ["trainer.devices=2", "pack.workers=2"]
TABLES = ("catalogue.parquet", "catalogue.fits", "catalogue.csv", "rejects.csv")


@pytest.fixture(scope="module")
def options(cache, artefact, tmp_path_factory):
    """``options(folder)``: 18 good and 10 bad files in seven shards, six groups, a part each."""
    root = tmp_path_factory.mktemp("killed_tree")
    world.make_good_lamost(root, n_stars=18)
    world.make_bad_lamost(root)
    return lambda folder: [*world.lamost_options(folder, artefact, root), "pack.shard_size=4"]


@pytest.fixture(scope="module")
def undisturbed(options, cache, tmp_path_factory):
    """The tables of runs that nothing disturbs."""
    tables = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHFIT_CACHE", str(cache))
        for how in (ONE, SEVERAL):
            folder = tmp_path_factory.mktemp("undisturbed")
            ended = Family("infer", [*options(folder), *how], folder).end()
            assert ended.status == 0, ended.err
            tables.append(tables_of(folder))
    assert tables[0] == tables[1], "two processes give other bytes than one"
    return tables[0]


def tables_of(folder):
    return {name: (folder / name).read_bytes() for name in TABLES}


def finished_work(folder):
    """Every finished file of the stages, and when it was written."""
    return {
        path: path.stat().st_mtime_ns
        for path in folder.glob("work-*/*/*")
        if not path.name.startswith(".")
    }


def kill_one(family, folder, chance):
    """Kill any of the processes; whether there was one.

    The moment is a random time after some more pieces of work are finished: so it comes to every
    stage, however busy the machine is.
    """
    enough = len(finished_work(folder)) + chance.randrange(8)
    while len(finished_work(folder)) < enough and family.runs():
        time.sleep(0.02)
    time.sleep(chance.uniform(0.0, 0.5))
    members = family.members()
    if members:
        family.kill(chance.choice(members))
    return bool(members)


def is_told(ended):
    """A killed program says nothing, one that has lost a child says so in a line."""
    if ended.status in (0, -signal.SIGKILL):
        return True
    return ended.status == 1 and "the same command goes on" in ended.error


def test_a_survey_killed_twenty_times_gives_the_same_bytes(options, undisturbed, tmp_path):
    expected = undisturbed
    chance = random.Random(20)
    folder, logs = tmp_path / "results", tmp_path
    kills, work, stages = 0, {}, set()
    while kills < KILLS:
        family = Family("infer", [*options(folder), *chance.choice((ONE, SEVERAL))], logs)
        kills += kill_one(family, folder, chance)
        ended = family.end()
        assert is_told(ended), ended.err
        kept = finished_work(folder)
        stages |= {path.parent.name for path in kept}
        if ended.status == 0:
            assert tables_of(folder) == expected
            shutil.rmtree(folder)
            work = {}
        elif kept:
            assert kept.items() >= work.items(), "finished work was lost, or done again"
            work = kept
    ended = Family("infer", [*options(folder), *SEVERAL], logs).end()
    assert ended.status == 0, ended.err
    assert tables_of(folder) == expected
    left = {path.name for path in folder.iterdir() if path.name.startswith(("work-", "."))}
    assert left <= {".hydra"}
    assert stages == {"shards", "start", "parts"}
