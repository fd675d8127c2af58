import functools
import re
import shlex
import sys
from pathlib import Path

import cloudpickle
import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.utils import get_method
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from tests.commands import TASKS, demand_composes
from tests.integration.running import process_restored

from torchfit.exceptions import ConfigError
from torchfit.run.programs import (
    PROGRAMS,
    Task,
    conf_folder,
    overrides_first,
    run_task,
    started_as,
)

ROOT = Path(__file__).parents[3]


def help_of(name):
    with initialize_config_dir(str(conf_folder()), version_base=None):
        return compose(name, return_hydra_config=True).hydra.help.header


def examples_of(name):
    """What the help of a program and the overview tell a user to type, without remarks."""
    lines = [line.strip() for line in help_of(name).splitlines() if line.startswith("  ")]
    return [shlex.split(line, comments=True) for line in [*lines, *PROGRAMS[name].examples]]


def test_the_configuration_of_a_checkout_is_at_its_top():
    assert conf_folder() == ROOT / "conf"


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_file_and_a_configuration(name):
    if name != "library":  # It came after the three files of a checkout.
        assert f'start_task("{name}", sys.argv[1:])' in (ROOT / f"{name}.py").read_text()
    assert (conf_folder() / f"{name}.yaml").is_file()
    assert callable(get_method(f"torchfit.run.{name}.{name}"))


@pytest.mark.parametrize("name", TASKS)
def test_every_example_can_be_typed(name):
    examples = examples_of(name)
    assert len(examples) > 3
    for command, program, *overrides in examples:
        assert (command, program) == ("torchfit", name)
        demand_composes(name, overrides)


@pytest.mark.parametrize("name", TASKS)
def test_a_launcher_can_send_the_task_to_another_machine(name):
    task = Task(f"torchfit.run.{name}.{name}", f"torchfit {name}")
    assert cloudpickle.loads(cloudpickle.dumps(task)) == task


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("/usr/bin/torchfit", "torchfit infer"),
        ("C:/Scripts/torchfit.exe", "torchfit infer"),
        ("infer.py", "python infer.py"),
        ("/home/me/checkout/infer.py", "python infer.py"),
        ("/usr/lib/python3/torchfit/__main__.py", "python -m torchfit infer"),
    ],
)
def test_what_was_typed(script, words, monkeypatch):
    monkeypatch.setattr(sys, "argv", [script, "infer", "seed=3"])
    assert started_as("infer") == words


@pytest.fixture
def composed_by(monkeypatch, tmp_path):
    """``composed_by(name, *words)``: the configuration that a task gets."""

    def run(name, *words):
        seen = []
        keep = functools.partial(OmegaConf.to_container, resolve=True)
        monkeypatch.setattr(f"torchfit.run.{name}.{name}", lambda cfg: seen.append(keep(cfg)))
        monkeypatch.setattr(sys, "argv", ["bin/torchfit", name])
        with process_restored():
            run_task(name, [*words, f"hydra.run.dir={tmp_path}/out"])
        assert sys.argv == ["bin/torchfit", name]
        (cfg,) = seen
        return cfg

    return run


def test_a_task_knows_what_was_typed(composed_by):
    cfg = composed_by("infer", "match.t=7")
    assert cfg["command"] == "torchfit infer"
    assert cfg["overrides"] == ["match.t=7"]
    assert cfg["match"]["t"] == 7


def test_a_folder_of_options_is_part_of_what_was_typed(composed_by, tmp_path):
    theirs = tmp_path / "my conf"
    (theirs / "group").mkdir(parents=True)
    (theirs / "group/tiny.yaml").write_text("defaults: [default]\nn_group: 2\n")
    cfg = composed_by("infer", "--config-dir", str(theirs), "group=tiny")
    assert cfg["group"]["n_group"] == 2
    assert shlex.split(cfg["command"]) == ["torchfit", "infer", "--config-dir", str(theirs)]


FLAGS = ["-cd conf", "--config-dir=a=b", "--config-name a=b", "-m", "--cfg job", "--resolve"]


@given(st.permutations([["a=1"], ["~b"], ["+c=2"], *map(str.split, FLAGS)]))
def test_flags_may_stand_anywhere(pieces):
    words = overrides_first([word for piece in pieces for word in piece])
    parsed = get_args_parser().parse_args(words)
    assert sorted(parsed.overrides) == ["+c=2", "a=1", "~b"]
    assert parsed.overrides == [piece[0] for piece in pieces if not piece[0].startswith("-")]
    assert (parsed.config_name, parsed.cfg, parsed.multirun) == ("a=b", "job", True)
    assert parsed.config_dir in ("conf", "a=b")


def test_every_flag_of_hydra_with_a_value_is_known():
    """Of those that stand in Hydra's own parser, and no others."""
    actions = get_args_parser()._actions
    valued = {name for a in actions if a.nargs != 0 for name in a.option_strings}
    assert {name for name in valued if overrides_first([name, "x", "a=1"])[0] != "a=1"} == set()
    plain = {name for a in actions if a.nargs == 0 for name in a.option_strings}
    assert {name for name in plain if overrides_first([name, "x=1"]) != ["x=1", name]} == set()


def test_training_needs_no_record_of_it(composed_by):
    assert "command" not in composed_by("train")


@pytest.mark.parametrize("words", [["no.such=1"], ["--config-dir", "nowhere"], ["data=galex"]])
def test_what_cannot_be_composed_is_a_line(words, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["torchfit"])
    with pytest.raises(SystemExit) as end:
        run_task("infer", words)
    assert end.value.code == 1
    assert re.fullmatch(r"error: .+\n", capsys.readouterr().err)


def test_an_error_of_the_task_is_a_line(monkeypatch, tmp_path, capsys):
    def refuse(cfg):
        raise ConfigError("no such star")

    monkeypatch.setattr("torchfit.run.infer.infer", refuse)
    with pytest.raises(SystemExit) as end, process_restored():
        run_task("infer", [f"hydra.run.dir={tmp_path}/out"])
    assert end.value.code == 1
    assert capsys.readouterr().err == "error: no such star\n"
