import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.flags.bits import ResultFlag
from torchfit.flags.survey_rules import SurveyRules, count_bits


def bits(table, flag):
    return ((table["flags"].to_numpy() & int(flag)) > 0).tolist()


def test_the_columns_are_added_and_explained(survey):
    judged = SurveyRules().judge(survey())
    assert {"flag_snr", "flag_chi2", "flag_alpha_fe"} <= set(judged.table)
    assert set(judged.explained) == {"flag_snr", "flag_chi2", "flag_alpha_fe", "flags"}
    assert judged.table["flag_snr"].dtype == "Int64"


def test_what_the_files_say_sets_bits(survey):
    table = survey(4).assign(snr_g=[4.9, 5.0, np.nan, 100.0], flags=[1, 2, 4, 0])
    table["sum_ormask"] = table["sum_ormask"].mask(table.index == 3, None)
    table.loc[1, "sum_ormask"] = 2
    judged = SurveyRules().judge(table).table
    assert bits(judged, ResultFlag.LOW_SNR) == [True, False, False, False]
    assert bits(judged, ResultFlag.ORMASK) == [False, True, False, False]
    assert bits(judged, ResultFlag.EDGE) == [True, False, False, False]


def test_a_table_without_the_sum_of_masks_has_no_such_bit(survey):
    judged = SurveyRules().judge(survey(3).drop(columns="sum_ormask")).table
    assert not any(bits(judged, ResultFlag.ORMASK))


def test_judging_twice_is_judging_once(survey):
    once = SurveyRules().judge(survey(50))
    again = SurveyRules().judge(once.table)
    assert once.table.equals(again.table)


def test_a_bit_that_does_not_hold_any_more_is_cleared(survey):
    strict = SurveyRules(min_snr=1e9).judge(survey(5)).table
    assert all(bits(strict, ResultFlag.LOW_SNR))
    assert not any(bits(SurveyRules(min_snr=0.0).judge(strict).table, ResultFlag.LOW_SNR))


@given(st.lists(st.integers(0, 2**14 - 1), max_size=30))
def test_bits_are_counted(values):
    lines = count_bits(pd.DataFrame({"flags": np.array(values, dtype=np.int64)}))
    assert [line["name"] for line in lines] == [flag.name for flag in ResultFlag]
    for line in lines:
        assert line["stars"] == sum(value & line["bit"] > 0 for value in values)


@pytest.mark.parametrize("n_stars", [0, 1, 10])
def test_few_stars(survey, n_stars):
    assert len(SurveyRules().judge(survey(n_stars)).table) == n_stars
