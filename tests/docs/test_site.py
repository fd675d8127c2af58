"""The site: whole, offline, and made from the code."""

import html
import re

import pytest
from tests.docs.pages import NOTEBOOKS, PAGES, ROOT
from tests.links import faults

from torchfit.flags.bits import MEANINGS


@pytest.fixture(scope="module")
def text(site):
    """``text(page)``: its HTML, without the marks of emphasis and code."""

    def read(page):
        whole = (site / page).read_text(encoding="utf-8")
        return html.unescape(re.sub(r"<[^>]+>", "", whole))

    return read


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_the_network(site):
    assert len(list(site.rglob("*.html"))) > len(PAGES) + len(NOTEBOOKS)
    assert faults(site) == []


def test_a_broken_site_is_seen_to_be_broken(tmp_path):
    (tmp_path / "a.html").write_text(
        "<a href='b.html'></a><a href='#x'></a><a href='a.html#y'></a><h2 id='z'></h2>"
        "<a href='#z'></a><a href='https://x.org'></a><img src='p.png'>"
        "<script src='https://x.org/s.js'></script>"
    )
    assert len(faults(tmp_path)) == 5


def test_it_tells_no_style_sheet_to_fetch_anything(site):
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", sheet.read_text(encoding="utf-8"))


def test_columns_and_flags_are_those_of_the_schema(text):
    from generate.schema import all_columns

    page = text("catalogue.html")
    for column in all_columns():
        assert column.name in page
        assert column.text in page
    for flag, meaning in MEANINGS.items():
        assert flag.name in page
        assert meaning in page


def test_every_key_of_every_option_is_there_with_its_meaning(text):
    from generate import configuration

    for group, options in configuration.groups().items():
        page = text(f"configuration/{group}.html")
        for option in options:
            if configuration.is_global(group, option):
                continue
            for key in configuration.all_keys(group, option):
                assert key.name in page
                assert key.text or not key.kind, f"{group}={option}: {key.name} has no meaning"


def test_equations_need_no_script(site):
    page = (site / "method.html").read_text(encoding="utf-8")
    written = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    n_equations = len(re.findall(r"\$\$.+?\$\$|\$.+?\$", written, re.DOTALL))
    assert page.count("<math") == n_equations > 10
    assert "arithmatex" not in page


def test_every_notebook_can_be_had(site):
    for path in (ROOT / "docs" / "tutorials").glob("*.ipynb"):
        page = (site / "tutorials" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert f'href="{path.name}"' in page
        assert (site / "tutorials" / path.name).read_bytes() == path.read_bytes()
