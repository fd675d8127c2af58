"""The real programs on simulated devices: the tables and the emulator of the CPU."""

import pandas as pd
import pytest
import torch
from tests.integration import world
from tests.integration.running import run
from tests.simulated.accelerator import build_trainer

from torchfit.emulator.artefact import load_emulator

ON_SIM = "trainer._target_=tests.simulated.accelerator.build_trainer"
SURVEY = ["metric=common", "metric.sharing.min_stars=1", "match=components"]
SEARCHES = {
    "default": [],
    "paper": ["experiment=paper", "optimise.bo.max_iterations=2", "optimise.bo.raw_samples=16"],
    "groups": [*SURVEY, "optimise=[turbo,lm]", "optimise.turbo.max_iterations=2"],
    "gradients": [*SURVEY, "optimise=[adam,lbfgs]", "optimise.adam.max_iterations=9"],
    "posteriors": [*SURVEY, "uncertainty=mcmc", "uncertainty.posterior.selection.n_stars=5"],
}


def measure(folder, artefact, *options):
    """The catalogue of the made STELIB stars."""
    reader = [o for o in world.stelib_options(folder, artefact) if not o.startswith("optimise")]
    ended = run("infer", *reader, *options)
    assert ended.status == 0, ended.err
    assert (folder / "report.html").stat().st_size > 10_000
    return pd.read_parquet(folder / "catalogue.parquet", partitioning=None)


@pytest.mark.parametrize("options", SEARCHES.values(), ids=SEARCHES)
def test_a_survey_on_one_device(artefact, tmp_path, options):
    expected = measure(tmp_path / "cpu", artefact, *options)
    found = measure(tmp_path / "sim", artefact, *options, ON_SIM)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_a_survey_of_files_on_two_devices(artefact, lamost_tree, lamost, tmp_path):
    """By processes that are started for it; half-empty and unreadable files among them."""
    options = world.lamost_options(tmp_path, artefact, lamost_tree[0])
    ended = run("infer", *options, ON_SIM, "trainer.devices=2")
    assert ended.status == 0, ended.err
    tables = [
        pd.read_parquet(f / "catalogue.parquet", partitioning=None) for f in (tmp_path, lamost)
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert (tmp_path / "rejects.csv").read_bytes() == (lamost / "rejects.csv").read_bytes()


@pytest.mark.parametrize("devices", [1, 2])
def test_training(artefact, trained, tmp_path, devices):
    """With two devices, one of them does it: a step is on the whole library."""
    options = [o for o in world.train_options(tmp_path) if not o.startswith("trainer.")]
    ended = run("train", *options, ON_SIM, f"trainer.devices={devices}")
    assert ended.status == 0, ended.err
    assert ("one of 2 devices does it" in ended.out) == (devices == 2)
    found, expected = (load_emulator(f / "emulator") for f in (tmp_path, trained[1]))
    labels = torch.tensor(world.draw_labels(20, seed=5))
    torch.testing.assert_close(found.flux(labels), expected.flux(labels), rtol=0, atol=1e-9)


def test_lightning_is_given_the_device_it_is_to_use():
    assert build_trainer().strategy.root_device == torch.device("sim", 0)
    assert build_trainer(devices=2).strategy.parallel_devices[1] == torch.device("sim", 1)
