import numpy as np
import pytest

from torchfit.flags.snr import SnrRule
from torchfit.names import LABELS
from torchfit.report.repeats import repeats_section


def section_of(table):
    return repeats_section(table, LABELS, SnrRule().ratio(table))


@pytest.fixture
def repeated(make_table):
    """A hundred stars seen twice, 50 K off, at S/N of 8 or of 40."""
    table = make_table(200)
    table["name"] = [f"star {number // 2}" for number in range(200)]
    table["mjd"] = table["mjd"].where(table["mjd"].notna(), table["star"])
    table["snr_g"] = np.where(np.arange(200) < 100, 8.0, 40.0)
    table["teff"] = 5000 + np.sqrt(2) * 50 * (np.arange(200) % 2)
    return table.assign(spectral_class="G", e_teff=30.0)


def test_scatter_and_claimed_error_by_ratio(repeated):
    section = section_of(repeated)
    rows = [row for row in section.tables[0][1] if row["label"] == "teff"]
    assert [(row["S/N"], row["median S/N"], row["pairs"]) for row in rows] == [
        ("5-10", 8.0, 50),
        ("30-50", 40.0, 50),
    ]
    for row in rows:
        assert row["scatter"] == pytest.approx(1.4826 * 50)
        assert row["median error"] == 30.0
    assert len(section.figures) == 1
    assert section.text.startswith("100 pairs of visits")


def test_without_ratios_there_is_a_table_and_no_figure(repeated):
    section = section_of(repeated.assign(snr_g=np.nan))
    assert "Their S/N is not known" in section.text
    assert not section.figures
    assert section.tables[0][1][0]["S/N"] == "unknown"


def test_without_repeats_it_is_said(make_table):
    section = section_of(make_table(10))
    assert section.text == "No star was seen twice: nothing can be said of repeats."


def test_one_pair_has_no_scatter(repeated):
    rows = section_of(repeated[:2]).tables[0][1]
    assert np.isnan(rows[0]["scatter"])


def test_labels_that_are_nan_are_no_pairs(repeated):
    rows = section_of(repeated.assign(fe_h=np.nan)).tables[0][1]
    assert {row["pairs"] for row in rows if row["label"] == "fe_h"} == {0}


def test_errors_that_are_not_known_are_not_invented(repeated):
    rows = section_of(repeated.assign(e_teff=np.nan)).tables[0][1]
    assert all(np.isnan(row["median error"]) for row in rows if row["label"] == "teff")
