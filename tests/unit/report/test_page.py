from base64 import b64decode

import pytest
from matplotlib.figure import Figure

from torchfit.report.page import Section, render_page


def _figure(width=4.0):
    figure = Figure(figsize=(width, 3.0))
    figure.subplots().plot([1.0, 2.0, 3.0])
    return figure


@pytest.fixture
def html():
    rows = [{"class": "FGK", "bias": 0.125}, {"class": "OB", "bias": float("nan")}]
    sections = [
        Section("First", "One.\n\nTwo.", [("A line", _figure()), ("Wide", _figure(9.0))]),
        Section("Second", "Three.", tables=[("Residuals", rows), ("Without a row", [])]),
    ]
    return render_page("A page", {"Stars": "10", "Name": "<b>&"}, sections)


def test_page_has_title_links_and_language(html, parse):
    page = parse(html)
    assert "<title>A page</title>" in html and '<html lang="en">' in html
    assert page.links == ["#section-1", "#section-2"]
    assert page.ids == ["section-1", "section-2"]
    assert page.tags.count("p") == 3


def test_figures_are_inside_and_described(html, parse):
    images = parse(html).images
    assert [image["alt"] for image in images] == ["A line", "Wide"]
    for image in images:
        kind, data = image["src"].split(",")
        assert kind == "data:image/png;base64"
        assert b64decode(data).startswith(b"\x89PNG")
    assert html.count('class="wide"') == 1


def test_nothing_comes_from_elsewhere(html, parse):
    assert "http" not in html and "url(" not in html
    assert not {"script", "link", "iframe", "object"} & set(parse(html).tags)


def test_page_fits_a_phone(html):
    assert "width=device-width" in html and "max-width: 100%" in html and "overflow-x" in html


def test_tables_are_formatted_and_empty_ones_left_out(html, parse):
    page = parse(html)
    assert page.tags.count("table") == 1
    assert "Residuals class bias FGK 0.1250 OB -" in page.text


def test_text_is_escaped(html, parse):
    assert "<b>" not in html
    assert "Name <b>&" in parse(html).text


def test_same_input_gives_same_page(html):
    rows = [{"class": "FGK", "bias": 0.125}, {"class": "OB", "bias": float("nan")}]
    sections = [
        Section("First", "One.\n\nTwo.", [("A line", _figure()), ("Wide", _figure(9.0))]),
        Section("Second", "Three.", tables=[("Residuals", rows), ("Without a row", [])]),
    ]
    assert render_page("A page", {"Stars": "10", "Name": "<b>&"}, sections) == html


def test_page_without_anything_is_still_a_page(parse):
    page = parse(render_page("Empty", {}, []))
    assert page.images == page.links == []
    assert "dl" not in page.tags
