import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.recommended import Recommendation
from torchfit.exceptions import ConfigError
from torchfit.flags.bits import ResultFlag


def table(**columns):
    n_stars = len(next(iter(columns.values())))
    empty = pd.array([0] * n_stars, "Int64")
    plain = {
        "flags": [0] * n_stars,
        "flag_snr": empty,
        "flag_chi2": empty,
        "flag_alpha_fe": empty,
        "teff": [5000.0] * n_stars,
        "logg": [4.0] * n_stars,
        "fe_h": [0.0] * n_stars,
    }
    return pd.DataFrame(plain | columns)


def chosen(*arguments, **columns):
    return Recommendation(*arguments).select(table(**columns)).tolist()


def test_a_bit_excludes_if_it_is_named():
    flags = [0, ResultFlag.EDGE, ResultFlag.EMISSION, ResultFlag.EDGE | ResultFlag.NO_ERRORS]
    assert chosen(["EDGE"], [], flags=flags) == [True, False, True, False]
    assert chosen([], [], flags=flags) == [True] * 4


def test_a_flag_excludes_if_it_is_named_and_known():
    flag = pd.array([0, 1, None], "Int64")
    assert chosen([], ["flag_snr"], flag_snr=flag) == [True, False, True]
    assert chosen([], ["flag_chi2"], flag_snr=flag) == [True] * 3


def test_a_star_without_a_label_is_never_recommended():
    assert chosen([], [], fe_h=[0.0, np.nan]) == [True, False]


def test_no_star():
    assert chosen(["EDGE"], ["flag_snr"], flags=[]) == []


@pytest.mark.parametrize("arguments", [(["EGDE"], []), ([], ["flag_srn"])])
def test_a_misspelt_name_is_refused(arguments):
    with pytest.raises(ConfigError, match=r"catalogue\.recommended\.excluded"):
        Recommendation(*arguments)
