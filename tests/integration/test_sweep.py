"""Sweeps with ``-m``: every value has a folder of its own, and arrives."""

import json

import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf
from tests.integration import world
from tests.integration.running import run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_report")]


def sweep(program, options, folder, *swept):
    kept = [option for option in options if not option.startswith("hydra.run.dir")]
    return run(program, "-m", *kept, *swept, f"hydra.sweep.dir={folder}")


def test_a_swept_lengthscale_is_in_the_artefact(tmp_path):
    options = [*world.train_options(tmp_path), "emulator.learner.max_epochs=2"]
    ended = sweep("train", options, tmp_path, "emulator.kernel.lengthscale=0.5,1.0")
    assert ended.status == 0, ended.err
    found = {}
    for path in tmp_path.rglob("emulator.json"):
        description = json.loads(path.read_text())
        config = OmegaConf.create(description["settings"]["config"])
        swept = config.emulator.kernel.lengthscale
        found[swept] = description["hyperparameters"]["lengthscale"]
    assert found == {0.5: [0.5] * 3, 1.0: [1.0] * 3}


@pytest.mark.parametrize("devices", [1, 2])
def test_a_swept_t_is_in_the_catalogue(artefact, tmp_path, devices):
    options = [*world.stelib_options(tmp_path, artefact), f"trainer.devices={devices}"]
    ended = sweep("infer", options, tmp_path, "match.t=10,40")
    assert ended.status == 0, ended.err
    found = {}
    for path in tmp_path.rglob("catalogue.parquet"):
        provenance = json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"provenance"])
        found[OmegaConf.create(provenance["config"]).match.t] = path.parent
    assert found.keys() == {10, 40}
    assert {folder.parent for folder in found.values()} == {tmp_path}
    assert len(set(found.values())) == 2


def test_a_sweep_over_paths_makes_one_flat_folder_for_each(artefact, tmp_path):
    roots = [tmp_path / "one" / "2020_01", tmp_path / "two" / "2020_01"]
    for root in roots:
        world.make_good_lamost(root, n_stars=2)
    options = world.lamost_options(tmp_path, artefact, "ROOTS")
    kept = [option for option in options if not option.startswith("data.root")]
    swept = f"data.root={','.join(map(str, roots))}"
    ended = sweep("infer", kept, tmp_path / "sweep", swept)
    assert ended.status == 0, ended.err
    jobs = [path.parent for path in (tmp_path / "sweep").rglob("catalogue.parquet")]
    assert len(jobs) == 2
    assert {job.parent for job in jobs} == {tmp_path / "sweep"}
    assert all(len(job.name) < 100 for job in jobs)


@pytest.mark.parametrize("name", ["20111112", "2020_01", "1e5", "null", "true"])
def test_names_that_look_like_numbers_are_names(artefact, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    world.make_good_lamost(tmp_path / name, n_stars=2)
    (tmp_path / "5e1").symlink_to(artefact)
    options = world.lamost_options("1_0", "5e1", name)
    ended = run("infer", *options)
    assert ended.status == 0, ended.err
    assert (tmp_path / "1_0" / "catalogue.parquet").is_file()


def test_a_sweep_with_an_impossible_value_fails(artefact, tmp_path):
    ended = sweep("infer", world.stelib_options(tmp_path, artefact), tmp_path, "match.t=0,10")
    assert ended.status == 1
    assert "t=0" in ended.error


def test_the_configuration_can_be_shown():
    ended = run("infer", "--cfg", "job", "match.t=50")
    assert ended.status == 0
    assert "t: 50" in ended.out
    assert ended.err == ""
