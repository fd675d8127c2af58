import re
import sys

import pytest

from torchfit import __version__
from torchfit.run.main import main
from torchfit.run.programs import PROGRAMS, Program


@pytest.fixture
def typed(monkeypatch, capsys):
    """``typed(*words)``: exit status, output and errors of ``torchfit *words``."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/torchfit", *words])
        try:
            status = main() or 0
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_without_a_program_all_of_them_are_shown(typed, words):
    status, out, err = typed(*words)
    assert (status, err) == (0, "")
    for name, program in PROGRAMS.items():
        assert re.search(rf"^  {name} +{program.summary}$", out, re.MULTILINE)
        assert all(f"  {example} " in out for example in program.examples)
    assert all(len(line) <= 100 for line in out.splitlines())


def test_the_version(typed):
    assert typed("--version") == (0, f"torchfit {__version__}\n", "")


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("trian", "no program trian; there is train"),
        ("validation", "no program validation; there is validate"),
        ("data=stelib", f"no program data=stelib; use one of: {', '.join(PROGRAMS)}"),
        ("--verbose", f"no program --verbose; use one of: {', '.join(PROGRAMS)}"),
        ("", f"no program ; use one of: {', '.join(PROGRAMS)}"),
    ],
)
def test_no_such_program(typed, word, line):
    assert typed(word) == (1, "", f"error: {line} (torchfit --help)\n")


def test_a_program_gets_what_follows_its_name(typed, monkeypatch):
    seen = []
    program = Program("print labels", {}, seen.append, is_configured=False)
    monkeypatch.setattr("torchfit.run.main.PROGRAMS", {**PROGRAMS, "fit": program})
    assert typed("fit", "a.fits", "--format", "x") == (0, "", "")
    assert seen == [["a.fits", "--format", "x"]]


def test_the_help_of_a_program_shows_groups_and_examples(typed):
    status, out, err = typed("infer", "--help")
    assert (status, err) == (0, "")
    assert "torchfit infer data=lamost_dr10 data.root=FOLDER" in out
    assert re.search(r"^data: .*stelib", out, re.MULTILINE)
    assert "torchfit infer --cfg job" in out
    assert "$" not in out.replace('"$(torchfit', "")
