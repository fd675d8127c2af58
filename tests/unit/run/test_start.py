import signal
import subprocess
import sys

import pytest
from tests.integration.running import ROOT

STRUCK = """
import os, runpy, signal, sys

class Strike:
    def find_spec(self, name, path=None, target=None):
        if name == "hydra":
            os.kill(os.getpid(), {number})

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Strike())
sys.argv = sys.argv[1:]
if sys.argv[0] == "torchfit":
    runpy.run_module("torchfit", run_name="__main__")
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""A program to which a signal comes while it imports what it needs."""


@pytest.mark.parametrize(
    "words", [["torchfit", "infer"], *([f"{name}.py"] for name in ("train", "infer", "validate"))]
)
@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_in_the_first_moment_is_one_line(words, number, status, word):
    ended = subprocess.run(
        [sys.executable, "-c", STRUCK.format(number=int(number)), *words],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == status, ended.stderr
    assert ended.stderr.split("\n") == ["", f"{word}; the same command goes on from here", ""]


def test_starting_imports_nothing_that_takes_time():
    code = (
        "import sys, torchfit.run.start; print([n for n in ('hydra', 'torch') if n in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
