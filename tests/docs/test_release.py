"""What is said of a release in several places agrees; licence and citation are whole."""

import re
import subprocess
import sys
import tomllib

import yaml
from packaging.requirements import Requirement
from tests.docs.pages import ROOT

import torchfit

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def versions_of(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {key.lower().replace("_", "-"): version for key, version in pairs}


def requirements(*extras):
    listed = [*PROJECT["dependencies"]]
    for extra in extras:
        listed += PROJECT["optional-dependencies"][extra]
    return [each for each in map(Requirement, listed) if each.name != "torchfit"]


def test_the_version_stands_in_one_place():
    command = [sys.executable, "-m", "hatchling", "version"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == torchfit.__version__ == CITATION["version"]


def test_the_changelog_has_the_version_below_what_is_not_released():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *released = re.findall(r"^## \[(.+?)\](.*)$", text, re.MULTILINE)
    assert first == ("Unreleased", "")
    assert torchfit.__version__ == released[0][0]
    for _, date in released:
        assert re.fullmatch(r" - \d{4}-\d\d-\d\d", date)


def test_the_citation_has_what_the_format_demands():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(CITATION)
    assert CITATION["license"] == PROJECT["license"]
    for each in [CITATION["preferred-citation"], *CITATION["references"]]:
        assert {"type", "title", "authors"} <= set(each)


def test_every_direct_dependency_is_pinned():
    pinned = versions_of("constraints.txt")
    for each in requirements("test", "dev", "docs", "specutils", "fast"):
        name = each.name.lower().replace("_", "-")
        if name != "pre-commit":
            assert each.specifier.contains(pinned[name]), each


def test_the_oldest_versions_are_the_lower_bounds():
    oldest = versions_of("constraints-oldest.txt")
    for each in requirements("test", "specutils", "fast"):
        (bound,) = each.specifier
        lowest = oldest[each.name.lower().replace("_", "-")]
        assert bound.operator == ">="
        assert each.specifier.contains(lowest)
        assert lowest.startswith(bound.version), f"{each.name}: {lowest} is the oldest"
