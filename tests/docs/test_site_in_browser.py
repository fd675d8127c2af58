"""The site as a browser shows it from the disk, without a network: desk, phone, and search."""

import pytest
from tests.integration.browser import visit

pytestmark = pytest.mark.slow
PHONE, DESK = 390, 1200


@pytest.mark.parametrize(
    ("page", "width"),
    [
        ("index", PHONE),
        ("index", DESK),
        ("method", PHONE),
        ("configuration/metric", PHONE),
        ("tutorials/one_star", PHONE),
    ],
)
def test_a_page_fits_and_complains_of_nothing(site, tmp_path, page, width):
    seen = visit((site / f"{page}.html").as_uri(), width, tmp_path)
    assert seen.console == []
    assert seen.too_wide == []
    assert seen.scroll_width <= seen.width
    assert all(natural > 300 and shown <= seen.width for natural, shown in seen.images)
    assert seen.text > 1500


def test_search_finds_a_page_without_a_server(site, tmp_path):
    url = f"{(site / 'index.html').as_uri()}?q=levenberg"
    seen = visit(url, DESK, tmp_path)
    assert "How it works" in seen.found
    assert seen.console == []
