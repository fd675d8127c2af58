"""The report as a browser shows it: offline, on a desk and on a phone."""

import base64

import pytest
from tests.integration.browser import look_at

pytestmark = pytest.mark.slow
PHONE, DESK = 390, 1200


@pytest.fixture(scope="module")
def page(validated):
    return (validated[0] / "report.html").read_text()


@pytest.fixture(scope="module", params=[PHONE, DESK])
def seen(request, page, tmp_path_factory):
    return look_at(page, request.param, tmp_path_factory.mktemp("browser"))


def test_the_console_has_nothing_to_say(seen):
    assert seen.console == []


def test_there_is_no_horizontal_scroll(seen):
    assert seen.too_wide == []
    assert seen.scroll_width <= seen.width


def test_every_figure_is_there_and_fits(seen, page):
    assert len(seen.images) == page.count("<img ") >= 12
    for natural, shown in seen.images:
        assert natural > 300
        assert 250 < shown <= seen.width


def test_every_link_leads_to_its_section(seen):
    assert seen.dead_links == []


def test_there_is_text_to_read(seen):
    assert seen.text > 3000
    assert seen.height > 3000


def test_a_page_with_faults_is_seen_to_have_them(tmp_path):
    broken = base64.b64encode(b"no picture").decode()
    seen = look_at(
        "<html><body><main><a href='#nowhere'>link</a><p style='width: 700px'>wide</p>"
        f"<img src='data:image/png;base64,{broken}'></main>"
        "<script>console.error('oh'); undefined_word()</script></body></html>",
        PHONE,
        tmp_path,
    )
    assert seen.scroll_width > seen.width
    assert seen.too_wide == ["P wide"]
    assert seen.images[0][0] == 0
    assert seen.dead_links == ["#nowhere"]
    assert len(seen.console) == 2
