import sys

import pytest

from torchfit.run.completion import complete
from torchfit.run.programs import PROGRAMS, Program


@pytest.fixture
def ask(monkeypatch, capsys):
    """``ask(line)``: what a shell is offered."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/torchfit"])

    def run(line, shell="bash"):
        monkeypatch.setenv("COMP_LINE", line)
        complete([f"query={shell}"])
        return capsys.readouterr().out.split()

    return run


@pytest.mark.parametrize("line", ["torchfit", "torchfit ", "torchfit in", "torchfit  infer"])
def test_programs(ask, line):
    assert ask(line) == list(PROGRAMS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_program_takes(ask, shell):
    assert {"data=", "data.", "metric="} <= set(ask("torchfit infer ", shell))
    assert set(ask("torchfit infer data=lamost", shell)) == {
        "data=lamost_dr10",
        "data=lamost_mock",
        "data=lamost_mrs",
        "data=lamost_sample",
    }
    assert "results=" in ask("/opt/bin/torchfit  validate   re", shell)
    assert ask("torchfit infer data=lamost_mock data.n_st", shell) == ["data.n_stars="]


@pytest.mark.parametrize("line", ["torchfit nothing ", "torchfit nothing a=", "torchfit fit a.f"])
def test_nothing_for_what_is_no_program_of_hydra(ask, line, monkeypatch):
    fit = Program("print labels", {}, pytest.fail, is_configured=False)
    monkeypatch.setattr("torchfit.run.completion.PROGRAMS", {**PROGRAMS, "fit": fit})
    assert ask(line) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_learns_the_name_of_the_command(shell, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/torchfit"])
    complete([f"install={shell}"])
    assert "torchfit" in capsys.readouterr().out
