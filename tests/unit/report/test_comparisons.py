import numpy as np
import pytest

from torchfit.compare.reference import Comparison
from torchfit.names import LABELS
from torchfit.report.comparisons import comparison_rows, comparison_section, star_groups

LINE = {"rows": 99, "found": 7, "by identifier": 4, "by place": 3, "file": "x.fits"}
PUBLISHED = {"FGK": {"teff": [38.0, 127.0]}}


def compare(theirs, published=PUBLISHED, labels=LABELS, remark="A remark."):
    return Comparison("APOGEE", labels, theirs, published, remark, LINE)


@pytest.fixture
def table(make_table):
    return make_table(40)


@pytest.fixture
def theirs(table):
    return table[list(LABELS)].to_numpy() - [10.0, 0.1, 0.0, 0.0]


def test_offsets_stand_beside_those_of_the_paper(table, theirs):
    rows = comparison_rows(table[list(LABELS)].to_numpy(), theirs, compare(theirs))
    row = next(row for row in rows if (row["class"], row["label"]) == ("FGK", "teff"))
    assert row["bias"] == row["mean"] == pytest.approx(10.0)
    assert (row["paper mean"], row["paper sigma"]) == (38.0, 127.0)
    other = next(row for row in rows if (row["class"], row["label"]) == ("FGK", "logg"))
    assert np.isnan(other["paper mean"])


def test_where_the_paper_has_nothing_there_is_no_such_column(table, theirs):
    rows = comparison_rows(theirs, theirs, compare(theirs, {}))
    assert "paper mean" not in rows[0]


def test_groups_are_those_of_the_paper():
    labels = np.array([[3500, 5.0], [3500, 1.0], [3500, np.nan], [5000, 1], [8000, 4], [20000, 4]])
    groups = {name: list(np.flatnonzero(m)) for name, m in star_groups(labels, LABELS[:2]).items()}
    assert groups == {"dM": [0], "gM": [1, 2], "FGK": [3], "A": [4], "OB": [5], "OBA": [4, 5]}
    assert set(star_groups(labels[:, :1], LABELS[:1])) == {"M", "FGK", "A", "OB", "OBA"}


def test_only_the_sample_counts_and_never_a_star_of_the_library(table, theirs):
    sample = np.arange(40) < 20
    section = comparison_section(table, compare(theirs), sample)
    counted = sample & ~table["in_library"].to_numpy()
    rows = [row for row in section.tables[0][1] if row["label"] == "teff" and row["class"] != "OBA"]
    assert sum(row["n"] for row in rows) == counted.sum()
    assert f"{counted.sum()} of them count here" in section.text


def test_the_section_says_what_was_joined(table, theirs):
    section = comparison_section(table, compare(theirs), np.ones(40, dtype=bool))
    assert section.text.startswith("7 of our stars are in x.fits (99 rows pass its cuts)")
    assert section.text.endswith("A remark.")
    assert len(section.figures) == len(LABELS)
    assert [caption for caption, _ in section.tables][1] == "The same by temperature"


def test_nothing_in_common_is_said(table, theirs):
    section = comparison_section(table, compare(np.full_like(theirs, np.nan)), np.ones(40) > 0)
    assert section.text.endswith("There is nothing to compare.")
    assert not section.figures and not section.tables


def test_one_common_star(table, theirs):
    theirs[1:] = np.nan
    section = comparison_section(table, compare(theirs), np.ones(40, dtype=bool))
    assert all(np.isnan(row["sigma_std"]) for row in section.tables[0][1])
