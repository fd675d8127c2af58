from dataclasses import replace

import numpy as np
import pytest

from torchfit.names import LABELS, Label
from torchfit.report.audit import (
    MOST_DRAWN,
    AuditedLibrary,
    AuditedTemplate,
    audit_rows,
    audit_section,
    label_text,
)
from torchfit.report.rows import format_rows

WAVE = np.arange(4000.0, 4020.0)


def template(number, left_out=False):
    labels = np.array([5000.0 + number, 4.0, -0.5])
    flux = np.ones(len(WAVE))
    flux[3] = np.nan
    return AuditedTemplate(
        f"HD {number}  <b>", "labels", 30.0 - number, left_out, labels, labels + 1000.0,
        np.array([100.0, 0.2, 0.1]), ("HD 90", "HD 91", "HD 92"), np.tile(labels + 900.0, (3, 1)),
        flux, flux - 0.1, np.ones((3, len(WAVE))),
    )  # fmt: skip


@pytest.fixture
def audited():
    templates = [template(0, left_out=True), *map(template, range(1, MOST_DRAWN + 5))]
    return AuditedLibrary(templates, 90, 100, LABELS[:3], WAVE)


def test_every_listed_template_has_a_row(audited):
    rows = audit_rows(audited)
    assert len(rows) == MOST_DRAWN + 5
    assert rows[0]["star"] == "HD 0 <b>"
    assert (rows[0]["left_out"], rows[1]["left_out"]) == ("true", "false")
    assert (rows[1]["teff"], rows[1]["teff_measured"], rows[1]["teff_error"]) == (5001, 6001, 100)
    assert rows[0]["neighbours"] == "HD 90; HD 91; HD 92"
    assert "HD 7 <b>" in format_rows(rows)


def test_the_worst_are_drawn_with_their_neighbours(audited):
    section = audit_section(audited)
    assert "90 of 100 templates judged, 17 listed, 1 left out of training" in section.text
    assert len(section.figures) == MOST_DRAWN
    caption, figure = section.figures[0]
    assert caption == "HD 0 <b>: labels"
    titles = [axes.get_title(loc="right") for axes in figure.axes]
    assert titles[0] == "emulated from other stars at 5000 K, 4.00, -0.50"
    assert titles[1:] == [f"HD {n}, 5900 K, 904.00, 899.50" for n in (90, 91, 92)]
    observed, other = (line.get_ydata() for line in figure.axes[0].lines)
    assert np.isnan(observed[3])
    np.testing.assert_allclose(other[0], observed[0] - 0.1)


def test_nothing_listed(audited):
    section = audit_section(replace(audited, templates=()))
    assert not section.figures
    assert "0 listed, 0 left out" in section.text


def test_labels_in_a_line():
    assert label_text(np.array([22989.0, 3.9, -0.23]), LABELS[:3]) == "22989 K, 3.90, -0.23"


def test_labels_of_a_users_own():
    names = (*LABELS[:3], Label("vsini", "km/s", "Rotation"))
    assert label_text(np.array([5000.0, 4.0, 0.0, 12.5]), names) == "5000 K, 4.00, 0.00, 12.50"


def test_a_template_without_a_good_pixel_still_draws(audited):
    empty = replace(template(3), flux=np.full(len(WAVE), np.nan))
    ((_, figure),) = audit_section(replace(audited, templates=[empty])).figures
    figure.draw_without_rendering()
