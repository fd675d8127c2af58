import numpy as np
import pandas as pd
import pytest

from torchfit.names import LABELS
from torchfit.report import survey
from torchfit.report.examples import Examples
from torchfit.report.survey import survey_report

TITLES = [
    "The sample by class",
    "Kiel diagram and abundances",
    "Comparison with the published labels",
    "Goodness of fit",
    "Flags",
    "Repeat visits",
    "Dereddened colour and temperature",
    "Columns joined from other tables",
    "Fitted spectra",
    "Stars that failed, and why",
    "How this page was made",
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
    return pd.DataFrame({"source": sources, "reason": reasons})


@pytest.fixture
def page(make_survey, parse):
    """``page(table, ...)``: the rendered page of a table."""

    def render(table, examples=None, library=None, summary=None, **settings):
        survey = make_survey(table, **settings)
        return parse(survey_report(survey, examples, library, summary or {}))

    return render


def test_full_page(make_table, rejects, examples, page):
    library = make_table(30)[list(LABELS)].to_numpy()
    full = page(make_table(40), examples, library, {"Survey": "test"}, rejects=rejects)
    assert all(title in full.text for title in TITLES)
    kiel, alpha, published, chi2 = 2, 1, len(LABELS), 1
    assert len(full.images) == kiel + alpha + published + chi2 + len(examples.title)
    assert all(image["alt"] for image in full.images)
    assert "Survey test" in full.text
    assert "8 of them are in the training library" in full.text


def test_every_section_is_linked(make_table, page):
    full = page(make_table(10))
    assert [link.removeprefix("#") for link in full.links] == full.ids
    assert full.ids[-1] == "record"


def test_the_record_is_at_the_end(make_table, page):
    text = page(make_table(3)).text
    assert "torchfit : 0.1.0" in text
    assert text.endswith("config a: 1 b: 2")


def test_same_input_gives_same_page(make_table, make_survey, rejects, examples):
    survey = make_survey(make_table(10), rejects)
    pages = {survey_report(survey, examples, None, {"a": "b"}) for _ in range(2)}
    assert len(pages) == 1


def test_the_page_does_not_grow_with_the_number_of_stars(make_table, make_survey):
    sizes = []
    for n_stars in (8_000, 80_000):
        findings = {"explained": {"flag_snr": [{"class": "G", "threshold": 8.0}]}}
        survey = make_survey(make_table(n_stars), **findings)
        sizes.append(len(survey_report(survey, None, None, {})))
    assert sizes[1] < 1.25 * sizes[0]
    assert sizes[1] < 3e6


@pytest.mark.parametrize("n_stars", [0, 1, 10])
@pytest.mark.parametrize("labels", [LABELS[:3], LABELS])
def test_few_stars(make_table, page, n_stars, labels):
    few = page(make_table(n_stars, labels), labels=labels)
    assert all(title in few.text for title in TITLES)
    assert f"{n_stars} of {n_stars} stars have finite labels" in few.text
    assert "0 spectra were rejected" in few.text


def test_no_star_at_all_says_so(make_table, page):
    empty = page(make_table(0))
    assert empty.images == [] and "table" not in empty.tags
    for sentence in (
        "There is nothing to draw.",
        "No star has both a fitted and a published label.",
        "No star has a finite reduced chi-squared.",
        "No star was seen twice: nothing can be said of repeats.",
        "No star has Gaia magnitudes and a reddening",
        "Nothing was joined",
        "No spectrum was kept for this page.",
    ):
        assert sentence in empty.text


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


def test_only_library_stars_leave_no_table(make_table):
    table = make_table(10).assign(in_library=True)
    section = survey.published_section(table, LABELS)
    assert "No independent star remains" in section.text
    assert section.tables[0][1] == []


def test_class_follows_the_published_temperature_or_else_ours(make_table):
    table = make_table(2).assign(teff=[5000.0, 5000.0], teff_lit=[9000.0, np.nan])
    rows = survey.published_section(table.assign(in_library=False), LABELS).tables[0][1]
    classes = {row["class"] for row in rows if row["label"] == "logg"}
    assert classes == {"FGK", "A"}


def test_all_labels_nan(make_table, page):
    table = make_table(10)
    table[[*LABELS, "rchi2"]] = np.nan
    empty = page(table)
    assert empty.images == []
    assert "0 of 10 stars have finite labels. There is nothing to draw." in empty.text


def test_rejects_are_grouped_by_reason(make_table, rejects):
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


def test_a_long_survey_compares_some_of_its_stars(make_table, monkeypatch):
    monkeypatch.setattr("torchfit.report.survey.COMPARED", 10)
    section = survey.published_section(make_table(40), LABELS)
    assert section.text.startswith("Of 40 stars with published labels, evenly chosen: 10 stars")
