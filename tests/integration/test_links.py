"""Links, anchors and pictures of the reports are there, and nothing is loaded from elsewhere."""

from tests.links import faults, read


def test_of_the_page_of_a_survey(validated):
    folder, _ = validated
    page = read(folder / "report.html")
    assert len(page.links) > 3
    assert faults(folder) == []


def test_of_the_page_of_a_training(trained):
    _, folder = trained
    assert read(folder / "report.html").links
    assert faults(folder) == []
