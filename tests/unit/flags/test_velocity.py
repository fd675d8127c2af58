import numpy as np
import pandas as pd
import pytest

from torchfit.flags.velocity import VelocityRule


def table(error, ratio):
    return pd.DataFrame({"e_v_ccf": [error], "ccf_ratio": [ratio]})


@pytest.mark.parametrize(
    ("error", "ratio", "expected"),
    [
        (5.0, 0.2, False),
        (30.0, 0.6, False),
        (30.1, 0.2, True),
        (5.0, 0.61, True),
        (np.nan, np.nan, False),
    ],
)
def test_it_is_unsure_beyond_a_limit(error, ratio, expected):
    assert VelocityRule().is_unsure(table(error, ratio)).tolist() == [expected]


def test_limits_can_be_set():
    assert VelocityRule(max_error=2.0).is_unsure(table(5.0, 0.1)).tolist() == [True]
    assert VelocityRule(max_ratio=0.05).is_unsure(table(5.0, 0.1)).tolist() == [True]


def test_a_table_without_measured_velocities_has_none_that_are_unsure():
    assert VelocityRule().is_unsure(pd.DataFrame({"flags": [0, 1]})).tolist() == [False, False]
