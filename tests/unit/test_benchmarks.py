"""Benchmarks are run by hand: what they take from the package must be there all the same."""

import runpy
import sys

import pytest
from tests.integration.running import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_can_be_imported(path, monkeypatch):
    monkeypatch.syspath_prepend(str(path.parent))
    before = set(sys.modules)
    try:
        names = runpy.run_path(str(path), run_name="imported")
    finally:
        for name in set(sys.modules) - before:
            if getattr(sys.modules[name], "__file__", None) and "benchmarks" in str(
                sys.modules[name].__file__
            ):
                del sys.modules[name]
    assert names["__doc__"]
