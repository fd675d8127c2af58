import numpy as np
import pandas as pd

from torchfit.flags.alpha_fe import AlphaFeRule


def judged(**columns):
    return AlphaFeRule(7000.0, 3.5).judge(pd.DataFrame(columns))


def test_hot_dwarfs_are_flagged():
    teff, logg = [6999.0, 7001.0, 7001.0, 7001.0], [4.0, 4.0, 3.4, 3.5]
    judgement = judged(teff=teff, logg=logg, alpha_fe=[0.1] * 4)
    assert judgement.flag.tolist() == [0, 1, 0, 1]
    assert judgement.lines == [
        {"limit": "Teff > 7000 K and log g >= 3.5", "stars": 4, "flagged": 2}
    ]


def test_a_star_without_the_labels_is_not_judged():
    flag = judged(teff=[np.nan, 8000.0], logg=[4.0, 4.0], alpha_fe=[0.1, np.nan]).flag
    assert flag.isna().all()


def test_without_alpha_fe_nobody_is_judged():
    assert judged(teff=[8000.0], logg=[4.0]).flag.isna().all()
