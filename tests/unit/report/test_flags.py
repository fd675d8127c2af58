import numpy as np
import pytest

from torchfit.flags.bits import MEANINGS, ResultFlag
from torchfit.flags.snr import SnrRule
from torchfit.flags.survey_rules import SurveyRules
from torchfit.report.flags import flags_section, goodness_section, joins_section, sample_section


def goodness_of(table, explained):
    return goodness_section(table, explained, SnrRule().ratio(table))


@pytest.fixture
def explained(make_table):
    return SurveyRules().judge(make_table(40)).explained


def test_the_sample_is_counted(make_table, make_survey):
    chosen = np.arange(10) < 4
    section = sample_section(make_survey(make_table(10), recommended=chosen))
    assert section.title == "The recommended sample"
    assert section.text.startswith("4 of 10 stars are recommended.")
    assert sum(row["N"] for row in section.tables[0][1]) == 4


def test_without_a_sample_all_stars_are_in_the_table(make_table, make_survey):
    section = sample_section(make_survey(make_table(10)))
    assert "catalogue=recommended" in section.text
    assert sum(row["N"] for row in section.tables[0][1]) == 10


def test_goodness_against_the_ratio(make_table, explained):
    section = goodness_of(make_table(40), explained)
    assert [caption.split(":")[0] for caption, _ in section.figures] == [
        "Reduced chi-squared",
        "Mean squared residual against S/N",
    ]


def test_without_a_ratio_there_is_a_histogram_and_a_word(make_table, explained):
    section = goodness_of(make_table(40).assign(snr_g=np.nan), explained)
    assert "No star has a signal-to-noise ratio." in section.text
    assert len(section.figures) == 1


def test_every_bit_is_explained_and_counted(explained):
    tables = dict(flags_section(explained).tables)
    bits = tables["Bits of flags"]
    assert [row["meaning"] for row in bits] == [MEANINGS[flag] for flag in ResultFlag]
    assert set(tables) == {
        "Bits of flags",
        "How flag_snr was set",
        "How flag_chi2 was set",
        "How flag_alpha_fe was set",
    }


def test_joins_are_listed_or_it_is_said_that_there_are_none():
    assert "Nothing was joined" in joins_section(()).text
    lines = [{"catalogue": "gaia_dr3", "found": 3}]
    assert joins_section(lines).tables == [("What was joined", lines)]
