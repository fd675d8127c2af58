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
        values = json.loads(path.read_text())["hyperparameters"]["lengthscale"]
        (swept,) = [part for part in str(path).split(",") if "lengthscale=" in part]
        found[float(swept.partition("lengthscale=")[2].partition("/")[0])] = values
    assert found == {0.5: [0.5] * 3, 1.0: [1.0] * 3}


@pytest.mark.parametrize("devices", [1, 2])
def test_a_swept_t_is_in_the_catalogue(artefact, tmp_path, devices):
    options = [*world.stelib_options(tmp_path, artefact), f"trainer.devices={devices}"]
    ended = sweep("infer", options, tmp_path, "match.t=10,40")
    assert ended.status == 0, ended.err
    found = {}
    for path in tmp_path.rglob("catalogue.parquet"):
        provenance = json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"provenance"])
        found[OmegaConf.create(provenance["config"]).match.t] = f"match.t={10}," in str(path)
    assert found == {10: True, 40: False}


def test_a_sweep_with_an_impossible_value_fails(artefact, tmp_path):
    ended = sweep("infer", world.stelib_options(tmp_path, artefact), tmp_path, "match.t=0,10")
    assert ended.status == 1
    assert "t=0" in ended.error


def test_the_configuration_can_be_shown():
    ended = run("infer", "--cfg", "job", "match.t=50")
    assert ended.status == 0
    assert "t: 50" in ended.out
    assert ended.err == ""
