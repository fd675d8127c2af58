import numpy as np
import pandas as pd
import pytest

from torchfit.names import LABELS
from torchfit.report import survey
from torchfit.report.examples import Examples
from torchfit.report.survey import survey_report

TITLES = [
    "Kiel diagram",
    "Comparison with the published labels",
    "Goodness of fit",
    "Fitted spectra",
    "Stars that failed, and why",
]


@pytest.fixture
def examples():
    wave = np.arange(4000.0, 4050.0)
    flux = np.ones((2, 50), dtype=np.float32)
    return Examples(wave, flux, 0.99 * flux, flux, np.array([3, 8]), ("first", "second"))


@pytest.fixture
def rejects():
    reasons = ["no good pixel"] * 3 + ["wavelengths do not increase"]
    sources = [f"bad-{number}.fits" for number in range(4)]
    parts = zip(sources, reasons, strict=True)
    return pd.DataFrame(
        {"source": sources, "reason": [f"{source}: {reason}" for source, reason in parts]}
    )


def test_full_page(make_table, rejects, examples, parse):
    library = make_table(30)[list(LABELS)].to_numpy()
    page = parse(
        survey_report(make_table(40), rejects, examples, library, {"Survey": "test"}, LABELS)
    )
    assert all(title in page.text for title in TITLES)
    assert len(page.images) == 1 + len(LABELS) + 1 + 2
    assert all(image["alt"] for image in page.images)
    assert "Survey test" in page.text
    assert "8 of them are in the training library" in page.text


def test_same_input_gives_same_page(make_table, rejects, examples):
    pages = {
        survey_report(make_table(10), rejects, examples, None, {"a": "b"}, LABELS) for _ in range(2)
    }
    assert len(pages) == 1


@pytest.mark.parametrize("n_stars", [0, 1, 10])
@pytest.mark.parametrize("labels", [LABELS[:3], LABELS])
def test_few_stars(make_table, no_rejects, parse, n_stars, labels):
    page = parse(survey_report(make_table(n_stars, labels), no_rejects, None, None, {}, labels))
    assert all(title in page.text for title in TITLES)
    assert f"{n_stars} of {n_stars} stars have finite labels" in page.text
    assert "0 spectra were rejected" in page.text


def test_no_star_at_all_says_so(make_table, no_rejects, parse):
    page = parse(survey_report(make_table(0), no_rejects, None, None, {}, LABELS))
    assert page.images == [] and "table" not in page.tags
    assert "There is nothing to draw." in page.text
    assert "No star has both a fitted and a published label." in page.text
    assert "No star has a finite reduced chi-squared." in page.text
    assert "No spectrum was kept for this page." in page.text


def test_no_published_labels_says_so(make_table):
    table = make_table(10)
    table[[f"{label}_lit" for label in LABELS]] = np.nan
    section = survey.published_section(table, LABELS)
    assert section.text == "No star has both a fitted and a published label."
    assert not section.figures and not section.tables


def test_one_label_without_published_values_is_named(make_table):
    table = make_table(10).assign(alpha_fe_lit=np.nan)
    section = survey.published_section(table, LABELS)
    assert len(section.figures) == 3
    assert section.text.endswith("There is nothing published for alpha_fe.")


def test_library_stars_are_not_counted(make_table):
    table = make_table(10).assign(teff_lit=5000.0, teff=5100.0)
    table.loc[table["in_library"], "teff"] = 9000.0
    rows = survey.published_section(table, LABELS).tables[0][1]
    assert [(row["n"], row["bias"]) for row in rows if row["label"] == "teff"] == [(8, 100.0)]


def test_only_library_stars_leave_no_table(make_table, no_rejects, parse):
    table = make_table(10).assign(in_library=True)
    section = survey.published_section(table, LABELS)
    assert "No independent star remains" in section.text
    assert section.tables[0][1] == []


def test_class_follows_the_published_temperature_or_else_ours(make_table):
    table = make_table(2).assign(teff=[5000.0, 5000.0], teff_lit=[9000.0, np.nan])
    rows = survey.published_section(table.assign(in_library=False), LABELS).tables[0][1]
    classes = {row["class"] for row in rows if row["label"] == "logg"}
    assert classes == {"FGK", "A"}


def test_all_labels_nan(make_table, no_rejects, parse):
    table = make_table(10)
    table[[*LABELS, "rchi2"]] = np.nan
    page = parse(survey_report(table, no_rejects, None, None, {}, LABELS))
    assert page.images == []
    assert "0 of 10 stars have finite labels. There is nothing to draw." in page.text


def test_rejects_are_grouped_by_reason_without_the_source(make_table, rejects):
    tables = dict(survey.failures_section(make_table(0), rejects).tables)
    assert tables["Rejected spectra by reason"] == [
        {"reason": "no good pixel", "n": 3},
        {"reason": "wavelengths do not increase", "n": 1},
    ]
    assert tables["Rejected spectra"][3] == {
        "source": "bad-3.fits",
        "reason": "wavelengths do not increase",
    }


def test_long_lists_are_shortened_with_a_count(make_table, monkeypatch, rejects):
    monkeypatch.setattr(survey, "LISTED", 2)
    tables = dict(survey.failures_section(make_table(0), rejects).tables)
    assert len(tables["Rejected spectra: the first 2 of 4; the rest is in rejects.csv"]) == 2


def test_fits_that_did_not_converge_are_listed(make_table, no_rejects):
    table = make_table(8)
    table.loc[0, "stop"] = "unchanged"
    section = survey.failures_section(table, no_rejects)
    tables = dict(section.tables)
    assert section.text == "0 spectra were rejected; 2 of 8 fits did not converge."
    assert tables["Why the fits stopped"] == [
        {"stop": "converged", "n": 5},
        {"stop": "max_iterations", "n": 2},
        {"stop": "unchanged", "n": 1},
    ]
    assert [row["star"] for row in tables["Fits that did not converge"]] == [3, 7]
