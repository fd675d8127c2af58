"""Benchmarks are run by hand: what they take from the package must be there all the same."""

import os
import re
import runpy
import shutil
import sys
import sysconfig
from pathlib import Path

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


def test_what_the_record_of_kills_lacks_is_what_is_left_to_do(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from kills import ENDS, KILLS, Record

    record = Record(tmp_path / "new" / "kills.jsonl")
    assert (record.done(KILLS), record.done(ENDS)) == (0, 0)
    record.add((2, "SIGKILL", "all", "fit"), [])
    record.add((1, "SIGINT", "parent", "pack"), ["hangs"])
    record.add((2, "none", "none", "ended"), [])
    assert (record.done(KILLS), record.done(ENDS)) == (1, 1)
    assert record.rows()[-1]["runs"] == 3
    assert record.rows()[-1]["faults"] == 1


def test_a_folder_that_a_run_removes_while_it_is_watched_is_empty(tmp_path, monkeypatch):
    """A survey that ends removes the folders of its work, one after the other."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from kills import STAGES, finished_work, phase_of
    from soak import shards_of

    original, asked = os.listdir, []

    def listdir(path):
        asked.append(Path(path).name)
        if len(asked) == last:
            shutil.rmtree(tmp_path / "work-0123456789abcdef")
        return original(path)

    for last in range(1, len(STAGES) + 3):
        for stage in (*STAGES, "table"):
            path = tmp_path / "work-0123456789abcdef" / stage / f"{stage}-000"
            path.parent.mkdir(parents=True)
            path.touch()
        asked.clear()
        with monkeypatch.context() as patch:
            patch.setattr(os, "listdir", listdir)
            assert len(finished_work(tmp_path)) == max(0, last - 2), "what was seen before"
        shutil.rmtree(tmp_path / "work-0123456789abcdef", ignore_errors=True)
    assert finished_work(tmp_path / "none") == {}
    assert (phase_of(tmp_path, 7), shards_of(tmp_path, "shard")) == ("start", [])


@pytest.mark.parametrize(
    ("leak", "slowing", "words"),
    [(0.0, 0.0, []), (0.01, 0.0, ["own memory grows"]), (0.0, 0.01, ["the last fits cost"])],
)
def test_a_soak_sees_a_leak_and_a_slowdown(monkeypatch, leak, slowing, words):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from soak import Sample, judged, tenths

    seconds = [number + slowing * number**3 for number in range(101)]
    samples = [
        Sample(second, "parts", number, (1 + leak * number, 0.2), second)
        for number, second in enumerate(seconds)
    ]
    rows = tenths([Sample(0.0, "start", 3, (9.0, 0.2), 0.0), *samples], 40_000)
    assert [row["stage"] for row in rows[1:]] == [f"parts {n}/10" for n in range(1, 11)]
    assert slowing or rows[5]["stars_per_s"] == 400
    assert slowing or rows[5]["processor_ms_a_star"] == 2.5
    found = judged(rows)
    assert len(found) == len(words)
    assert all(line.startswith(word) for line, word in zip(found, words, strict=True))


@pytest.mark.slow
def test_no_benchmark_has_the_name_of_a_module_that_an_installed_package_imports():
    """A script's folder is searched too: numba asks for ``coverage`` and must not find ours."""
    stems = "|".join(path.stem for path in BENCHMARKS)
    imports = re.compile(rf"^[ \t]*(?:import|from)[ \t]+({stems})\b".encode(), re.MULTILINE)
    installed = Path(sysconfig.get_paths()["purelib"])
    taken = {
        (name.decode(), str(path.relative_to(installed)))
        for path in installed.rglob("*.py")
        for name in imports.findall(path.read_bytes())
    }
    assert not taken
    assert not {path.stem for path in BENCHMARKS} & set(sys.stdlib_module_names)
