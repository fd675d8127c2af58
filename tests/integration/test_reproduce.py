"""``python reproduce.py`` at its tiniest: every figure, its files, and the page."""

import re

import pytest
from tests.integration.browser import look_at
from tests.integration.running import run

pytestmark = pytest.mark.slow

QUICK = (
    "size=tiny",
    "emulator.learner.max_epochs=20",
    "readings.paper.optimise.bo.max_iterations=6",
    "figure.text.lengthscale=[1.5]",
    "figure.text.outputscale=[2.1]",
    "figure.text.noise=[0.3]",
)
"""Settings with which every panel is drawn, and says nothing."""


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    """Folder of the figures, and how the program ended."""
    folder = tmp_path_factory.mktemp("reproduced")
    ended = run("reproduce", *QUICK, "figure.formats=[pdf]", f"hydra.run.dir={folder}")
    assert ended.status == 0, ended.err
    return folder, ended


def test_every_figure_is_on_the_page_and_in_a_file(reproduced):
    folder, ended = reproduced
    files = sorted(folder.glob("*.pdf"))
    assert all(path.read_bytes().startswith(b"%PDF") for path in files)
    page = (folder / "reproduce.html").read_text()
    assert page.count("<img ") == len(files) > 30
    assert "not drawn" not in page.lower()
    assert "reproduce.html" in ended.out


def test_every_image_has_a_text_and_names_the_mock(reproduced):
    page = (reproduced[0] / "reproduce.html").read_text()
    texts = re.findall(r'<img [^>]*alt="([^"]*)"', page)
    assert len(texts) == page.count("<img ") and all(len(text) > 30 for text in texts)
    assert "mock data: analytic spectra for testing, no real stars" in page


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_fits_a_phone_and_a_desk(reproduced, width, tmp_path):
    page = (reproduced[0] / "reproduce.html").read_text()
    seen = look_at(page, width, tmp_path)
    assert seen.console == [] and seen.dead_links == [] and seen.too_wide == []
    assert seen.scroll_width <= seen.width
    assert len(seen.images) == page.count("<img ")
    assert all(natural > 300 and shown <= width for natural, shown in seen.images)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["figure.formats=[svg]"], "no svg; use png, pdf"),
        (["figure=[]"], "no figure is chosen"),
        (["figure=fig99"], "figure=fig99 is unknown"),
    ],
)
def test_what_cannot_be_made_is_a_line(words, message, tmp_path):
    ended = run("reproduce", "size=tiny", *words, f"hydra.run.dir={tmp_path}")
    assert ended.status == 1 and message in ended.error
