from dataclasses import replace

import numpy as np
import pytest

from torchfit.names import LABELS
from torchfit.report.rows import format_rows
from torchfit.report.training import (
    HeldOut,
    examples_section,
    flux_residual_rows,
    inversion_rows,
    training_report,
)

TEFF = np.array([3500.0, 5500.0, 5600.0, 5700.0, 20000.0])


@pytest.fixture
def held_out():
    """Five stars of four pixels; star ``i`` leaves ``i / 100``, its last pixel is bad."""
    labels = np.column_stack([TEFF, np.full((5, 3), 0.1)])
    model = np.ones((5, 4), dtype=np.float32)
    flux = model + np.arange(5, dtype=np.float32)[:, None] / 100.0
    flux[:, 3] = np.nan
    good = np.isfinite(flux)
    return HeldOut(labels, labels + 0.5, np.arange(4000.0, 4004.0), flux, model, good)


def test_flux_residuals_by_hand(held_out):
    rows = flux_residual_rows(held_out)
    names = [(row["teff"], row["n_stars"], row["n_pix"]) for row in rows]
    assert names == [("< 4000 K", 1, 3), ("5000-6000 K", 3, 9), ("> 10000 K", 1, 3), ("all", 5, 15)]
    assert rows[1]["mean"] == pytest.approx(0.02, abs=1e-6)
    assert rows[1]["sigma"] == pytest.approx(0.01 * np.sqrt(2.0 / 3.0), abs=1e-6)
    assert rows[1]["sigma_robust"] == pytest.approx(0.014826, abs=1e-6)


def test_stars_without_a_good_pixel_do_not_count(held_out):
    good = held_out.good.copy()
    good[0] = False
    rows = flux_residual_rows(replace(held_out, good=good))
    assert [row["teff"] for row in rows] == ["5000-6000 K", "> 10000 K", "all"]


def test_inversion_rows_leave_out_what_was_not_inverted(held_out):
    predicted = held_out.predicted.copy()
    predicted[1] = np.nan
    rows = inversion_rows(replace(held_out, predicted=predicted), LABELS)
    teff = [(row["class"], row["n"], row["bias"]) for row in rows if row["label"] == "teff"]
    assert teff == [("M", 1, 0.5), ("FGK", 2, 0.5), ("OB", 1, 0.5)]


def test_rows_print(held_out):
    text = format_rows(flux_residual_rows(held_out))
    assert text.splitlines()[-1].split() == ["all", "5", "15", "0.0200", "0.0141", "0.0148"]


def test_page_shows_every_occupied_range(held_out, parse):
    page = parse(training_report(held_out, {"Library": "test"}, LABELS))
    assert len(page.images) == 3 + 3 + len(LABELS)
    assert all(image["alt"] for image in page.images)
    assert "5 of 5 held-out stars were inverted." in page.text


def test_typical_star_is_the_one_of_median_residual(held_out):
    figures = [figure for _, figure in examples_section(held_out).figures]
    titles = [figure.axes[0].get_title(loc="left") for figure in figures]
    assert titles == ["Teff = 3500 K", "Teff = 5600 K", "Teff = 20000 K"]


def test_same_input_gives_same_page(held_out):
    first, second = (training_report(held_out, {}, LABELS) for _ in range(2))
    assert first == second


def test_nothing_inverted_says_so(held_out, parse):
    nothing = replace(held_out, predicted=np.full((5, 4), np.nan))
    page = parse(training_report(nothing, {}, LABELS))
    assert "0 of 5 held-out stars were inverted." in page.text
    assert len(page.images) == 6


def test_no_star_says_so(parse):
    pixels = np.empty((0, 4), dtype=np.float32)
    labels = np.empty((0, 3))
    nothing = HeldOut(labels, labels, np.arange(4.0), pixels, pixels, pixels > 0)
    page = parse(training_report(nothing, {}, LABELS[:3]))
    assert page.images == []
    assert "There is no held-out star with a good pixel." in page.text


def test_scores_stand_there_with_and_without_those_left_out(held_out, parse):
    rest = held_out.select(np.arange(5) > 0)
    np.testing.assert_array_equal(rest.flux, held_out.flux[1:])
    page = parse(training_report(held_out, {}, LABELS, None, rest))
    assert "1 of them train no emulator" in page.text
    assert "The same without the stars left out" in page.text
    same = parse(training_report(held_out, {}, LABELS, None, held_out))
    assert "The same without the stars left out" not in same.text
