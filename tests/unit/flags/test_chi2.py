import numpy as np
import pandas as pd
import pytest

from torchfit.exceptions import ConfigError
from torchfit.flags.chi2 import Chi2Rule, label_terms
from torchfit.flags.judgement import mean_square

PAPER = Chi2Rule(n_sigma=0.0, logarithmic=False, statistic="mean_square")


def with_relation(table):
    """Chi-squared that follows the labels, and five stars far above."""
    rng = np.random.default_rng(1)
    slope = 1e-3 * (table["teff"] - 5600) + 0.5 * table["fe_h"]
    rchi2 = 10 ** (0.3 * slope + 0.05 * rng.normal(size=len(table)))
    rchi2[:5] *= 3
    return table.assign(rchi2=rchi2)


def test_stars_far_above_the_relation_of_their_labels_are_flagged(survey):
    flag = Chi2Rule().judge(with_relation(survey())).flag
    assert flag[:5].tolist() == [1] * 5
    assert flag[5:].mean() < 0.01


def test_what_is_much_for_its_labels_need_not_be_much_for_its_class(survey):
    table = with_relation(survey())
    best = table["rchi2"].idxmin()
    table.loc[best, "rchi2"] = table["rchi2"].quantile(0.8)
    assert Chi2Rule().judge(table).flag[best] == 1


def test_the_paper_flags_what_lies_above_the_regression(survey):
    table = survey()
    judgement = PAPER.judge(table)
    terms = label_terms(table)
    misfit = mean_square(table)
    above = misfit > terms @ np.linalg.lstsq(terms, misfit, rcond=None)[0]
    assert (judgement.flag == above.astype(int)).all()


def test_a_small_class_borrows_the_relation_of_all(survey):
    table = pd.concat([survey(), survey(5, "M", seed=2)], ignore_index=True)
    table.loc[600, "rchi2"] = 50.0
    judgement = Chi2Rule().judge(table)
    assert [line["relation of"] for line in judgement.lines] == [
        "its own stars",
        "all stars: it has fewer than 30",
    ]
    assert judgement.flag[600] == 1
    assert judgement.flag[601:].sum() == 0


def test_a_small_survey_is_not_judged_and_says_so(survey):
    judgement = Chi2Rule().judge(survey(10))
    assert judgement.flag.isna().all()
    assert judgement.lines == [
        {
            "class": "G",
            "stars": 10,
            "relation of": "none: the survey has fewer than 30 stars",
            "flagged": 0,
        }
    ]


@pytest.mark.parametrize(("column", "value"), [("teff", np.nan), ("rchi2", np.nan), ("rchi2", 0.0)])
def test_a_star_without_labels_or_misfit_is_not_judged(survey, column, value):
    table = survey()
    table.loc[7, column] = value
    flag = Chi2Rule().judge(table).flag
    assert flag.isna().tolist() == [place == 7 for place in range(len(table))]


def test_all_nan_labels(survey):
    table = survey().assign(teff=np.nan, logg=np.nan, fe_h=np.nan)
    assert Chi2Rule().judge(table).flag.isna().all()


def test_equal_labels_and_equal_misfits_flag_nobody(survey):
    table = survey().assign(teff=5500.0, logg=4.0, fe_h=0.0, rchi2=1.0)
    assert (Chi2Rule().judge(table).flag == 0).all()


def test_terms_are_scaled_labels():
    terms = label_terms(pd.DataFrame({"teff": [1000.0, 10000.0], "logg": [2.0, 4.0]}))
    np.testing.assert_allclose(terms, [[1, -1, -1], [1, 1, 1]])


def test_no_star(survey):
    assert len(Chi2Rule().judge(survey(0)).flag) == 0


@pytest.mark.parametrize("settings", [{"statistic": "chi"}, {"n_sigma": -1.0}, {"min_stars": 5}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match="flags: "):
        Chi2Rule(**settings)


def test_many_stars_are_judged_by_the_relation_of_some_of_them(survey, monkeypatch):
    table = with_relation(survey())
    judgement = Chi2Rule().judge(table)
    monkeypatch.setattr("torchfit.flags.chi2._TEACHERS", 150)
    fewer = Chi2Rule().judge(table)
    assert (fewer.flag == judgement.flag).mean() > 0.97
    assert fewer.flag[:5].tolist() == [1] * 5
    assert [line["stars"] for line in fewer.lines] == [len(table)]
