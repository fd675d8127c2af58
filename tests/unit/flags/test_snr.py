import numpy as np
import pandas as pd
import pytest

from torchfit.exceptions import ConfigError
from torchfit.flags.snr import PAPER_THRESHOLDS, SnrRule


def test_the_threshold_is_the_knee_of_the_misfit(survey):
    judgement = SnrRule().judge(survey())
    (line,) = judgement.lines
    assert 5 < line["threshold"] < 12
    assert line["from"] == "knee of the misfit"
    table = survey()
    np.testing.assert_array_equal(judgement.flag == 1, table["snr_g"] < line["threshold"])
    assert line["below"] == (judgement.flag == 1).sum()


def test_without_a_search_the_preset_stands(survey):
    (line,) = SnrRule(search=False).judge(survey()).lines
    assert (line["threshold"], line["from"]) == (8.0, "preset")


def test_ten_stars_keep_the_preset_and_say_why(survey):
    judgement = SnrRule().judge(survey(10))
    assert judgement.lines[0]["from"] == "preset: fewer than 200 stars with a ratio"
    assert judgement.flag.tolist() == (survey(10)["snr_g"] < 8).astype(int).tolist()


def test_a_misfit_without_a_knee_keeps_the_preset(survey):
    judgement = SnrRule(statistic="rchi2").judge(survey())
    assert judgement.lines[0]["from"] == "preset: the misfit has no knee"
    rising = survey().assign(sse=lambda table: table["snr_g"])
    assert "no knee" in SnrRule().judge(rising).lines[0]["from"]


def test_without_any_ratio_nothing_is_flagged(survey):
    table = survey(300).assign(**{f"snr_{band}": np.nan for band in "ugriz"})
    judgement = SnrRule().judge(table)
    assert judgement.flag.isna().all()
    assert judgement.lines[0]["with S/N"] == 0
    assert judgement.lines[0]["from"].startswith("preset: fewer than 200 stars with a ratio")


def test_a_star_without_a_ratio_is_not_judged(survey):
    table = survey()
    table.loc[3, "snr_g"] = np.nan
    flag = SnrRule().judge(table).flag
    assert flag.isna().tolist() == [place == 3 for place in range(len(table))]


def test_every_class_has_its_own_band_and_threshold(survey):
    cool = survey(20, "M").assign(snr_i=9.0, snr_g=1000.0)
    warm = survey(20, "A").assign(snr_i=1.0, snr_g=6.0)
    judgement = SnrRule().judge(pd.concat([cool, warm], ignore_index=True))
    assert judgement.flag.tolist() == [1] * 20 + [0] * 20
    assert [(line["class"], line["band"]) for line in judgement.lines] == [("M", "i"), ("A", "g")]


def test_no_star_is_no_line(survey):
    judgement = SnrRule().judge(survey(0))
    assert len(judgement.flag) == len(judgement.lines) == 0


def test_nan_misfits_do_not_teach(survey):
    table = survey()
    table.loc[::2, "sse"] = np.nan
    assert 5 < SnrRule().judge(table).lines[0]["threshold"] < 12


@pytest.mark.parametrize(
    "settings",
    [
        {"thresholds": {"M": 1.0}},
        {"bands": dict.fromkeys(PAPER_THRESHOLDS, "g") | {"X": "g"}},
        {"statistic": "chi"},
        {"n_bins": 3},
        {"min_stars": 10},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match="flags: "):
        SnrRule(**settings)
