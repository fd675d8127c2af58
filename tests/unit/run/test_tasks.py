from dataclasses import replace

import pytest
import yaml
from omegaconf import OmegaConf

from torchfit.exceptions import ArtefactError, ConfigError
from torchfit.run.infer import infer
from torchfit.run.record import command_of, settings_of
from torchfit.run.train import _emulator_summary, train


@pytest.fixture
def cfg(tmp_path):
    return OmegaConf.create(
        {
            "output_dir": str(tmp_path / "results"),
            "artefact": str(tmp_path / "emulator"),
            "command": "torchfit infer",
            "overrides": ["seed=3", "data.root=a b"],
            "seed": 3,
            "batch_groups": 8,
            "n_examples": 2,
            "match": {"t": "${seed}"},
        }
    )


def test_the_record_is_the_same_wherever_the_results_go(cfg):
    record = settings_of(cfg)
    assert record["torchfit"]
    assert record["torch"]
    assert "output_dir" not in yaml.safe_load(record["config"])
    cfg.output_dir = "elsewhere"
    assert settings_of(cfg) == record


def test_the_record_holds_numbers_and_not_references(cfg):
    assert yaml.safe_load(settings_of(cfg)["config"])["match"] == {"t": 3}


def test_another_setting_is_another_record(cfg):
    record = settings_of(cfg)
    cfg.seed = 4
    assert settings_of(cfg) != record


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", -1), ("seed", "three"), ("batch_groups", 0), ("n_examples", 0), ("n_examples", 1.5)],
)
def test_impossible_numbers_are_refused_before_anything_is_read(cfg, key, value):
    cfg[key] = value
    with pytest.raises(ConfigError, match=f"{key}={value} must be a whole number, at least"):
        infer(cfg)


def test_without_an_emulator_nothing_is_written(cfg, tmp_path):
    with pytest.raises(ArtefactError, match="torchfit train"):
        infer(cfg)
    assert list(tmp_path.iterdir()) == []


def test_training_looks_at_the_seed_first(cfg):
    cfg.seed = -1
    with pytest.raises(ConfigError, match="seed=-1"):
        train(cfg)


def test_the_summary_of_an_emulator(emulator):
    library = replace(emulator.library, provenance={"library": "made"})
    summary = _emulator_summary(replace(emulator, library=library))
    assert summary["library"] == "made, 90 stars"
    assert summary["labels"] == "teff, logg, fe_h"
    assert summary["grid"] == "4000-4399 Angstrom, vacuum"
    assert summary["lengthscale"] == "1.5, 1.5, 1.5"


def test_what_was_typed_can_be_typed_again(cfg):
    cfg.command = "python infer.py"
    assert command_of(cfg) == {"command": "python infer.py seed=3 'data.root=a b'"}


def test_how_many_share_the_work_is_left_out(cfg):
    assert command_of(cfg, "seed") == {"command": "torchfit infer 'data.root=a b'"}


def test_what_was_typed_does_not_change_the_record(cfg):
    record = settings_of(cfg)
    cfg.overrides, cfg.command = [], "python -m torchfit infer"
    assert settings_of(cfg) == record


def test_settings_after_the_fit_can_be_left_out(cfg):
    record = settings_of(cfg, "n_examples")
    cfg.n_examples = 5
    assert settings_of(cfg, "n_examples") == record
    assert settings_of(cfg) != record
