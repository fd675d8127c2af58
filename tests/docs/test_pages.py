"""Links, commands and messages in the texts of the documentation are real."""

import re

import pytest
from tests.commands import demand_composes, tasks_typed, typed
from tests.docs.pages import NOTEBOOKS, PAGES, ROOT, anchors_of, links_of, text_of

GENERATED = re.compile(r"(configuration/\w+|api/\w+|contributing|changelog)\.md")
"""Pages that are made when the site is built; test_site follows links to them."""


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS])
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in links_of(page):
        target, _, anchor = link.partition("#")
        if "://" in link or GENERATED.fullmatch(target.removeprefix("../")):
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors_of(str(path.resolve().relative_to(ROOT))), link


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS])
def test_every_command_can_be_typed(page):
    for name, overrides in tasks_typed(text_of(page)):
        demand_composes(name, overrides)


def test_commands_are_found():
    assert sum(len(tasks_typed(text_of(page))) for page in PAGES) > 80
    assert all(tasks_typed(text_of(f"docs/surveys/{name}.md")) for name in ("sdss", "desi"))


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS])
def test_every_script_is_there(page):
    text = text_of(page)
    words = [word for command in typed(text) for word in command]
    inline = re.findall(r"(?:python|bash) ([\w./-]+\.(?:py|sh)|\.ci/run)", text)
    scripts = [w for w in [*words, *inline] if re.fullmatch(r"[\w/]+\.(py|sh)", w)]
    ours = [script for script in scripts if script != "my_survey.py"]
    assert all((ROOT / script).is_file() for script in ours), ours


def test_every_message_of_the_page_of_errors_is_one_of_ours():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    table = text_of("docs/errors.md").partition("## What the messages mean")[2]
    for line in table.splitlines()[3:]:
        for quoted in re.findall(r"`([^`]+)`", line.partition("|")[2].partition("|")[0]):
            for piece in quoted.split("..."):
                assert any(piece.strip() in source for source in sources), piece


def test_every_survey_and_library_has_its_page():
    for folder, kinds in {"surveys": "data", "libraries": "library"}.items():
        pages = {path.stem for path in (ROOT / "docs" / folder).glob("*.md")}
        overview = text_of(f"docs/{folder}.md")
        for option in (ROOT / "conf" / kinds).glob("*.yaml"):
            name = option.stem.removesuffix("_dr10")
            assert name in pages or f"`{option.stem}`" in overview or name.startswith("lamost")


def test_the_readme_is_two_screens():
    lines = text_of("README.md").splitlines()
    assert len(lines) <= 100
