import re

import pytest
from matplotlib.figure import Figure

from torchfit.compare.published import of_figure
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.page import Reproduced, name_data, published_rows, reproduction_page


class Made(PaperFigure):
    number = "Fig. 26-27"
    title = "Open clusters"

    def draw(self, material):
        picture = Figure()
        picture.subplots().plot([1, 2])
        rows = [{"cluster": "M67", "mean": 0.1}]
        return Drawing("Two <members>.", "2 stars", [("A line rises", picture)], [("Ours", rows)])


@pytest.fixture
def reproduced():
    drawing = name_data(Made().draw(None), "mock data: no real stars")
    return Reproduced("fig26", Made(), drawing, "torchfit reproduce 'figure=[fig26]'", 1.25)


@pytest.fixture
def page(reproduced):
    steps = [{"step": "library", "seconds": 3.0}]
    return reproduction_page([reproduced], {"command": "torchfit reproduce"}, steps, {"torch": "2"})


def test_the_page_has_sample_command_and_seconds(page):
    assert "Sample: 2 stars. Command: torchfit reproduce &#39;figure=[fig26]&#39;. 1.2 s" in page
    assert "Two &lt;members&gt;." in page and "Fig. 26-27: Open clusters" in page


def test_every_number_of_the_paper_stands_beside_ours(page):
    numbers = of_figure("Fig. 26-27")
    assert len(numbers) == 9
    assert page.count("Praesepe") == 3 and page.count("not known") == len(numbers)
    assert page.index("In the paper") < page.index("Ours")


def test_every_picture_has_a_text_alternative(page):
    assert re.findall(r'<img [^>]*alt="([^"]*)"', page) == ["A line rises"]


def test_files_are_named_by_the_figure(reproduced):
    assert list(reproduced.files()) == ["fig26_1"]


def test_mock_data_are_named_in_every_picture_and_real_ones_are_not(reproduced):
    ((_, picture),) = reproduced.drawing.figures
    assert picture.get_suptitle() == "mock data: no real stars"
    ((_, picture),) = name_data(Made().draw(None), "").figures
    assert picture.get_suptitle() == ""


def test_large_numbers_are_written_out():
    values = {row["quantity"]: row["value"] for row in published_rows("Text")}
    assert values["spectra"] == "11473644" and values["length scale"] == "1.5"
