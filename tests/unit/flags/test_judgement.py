import numpy as np
import pandas as pd

from torchfit.flags.judgement import as_flag, finite, mean_square


def test_what_is_not_known_is_missing():
    index = pd.Index([5, 6, 7])
    flag = as_flag(np.array([True, False, True]), np.array([True, True, False]), index)
    assert flag.dtype == "Int64"
    assert list(flag.index) == [5, 6, 7]
    assert flag.fillna(-1).tolist() == [1, 0, -1]


def test_mean_square_is_per_pixel_and_unknown_without_one():
    table = pd.DataFrame({"sse": [6.0, 1.0], "n_pix": [3, 0]})
    np.testing.assert_array_equal(mean_square(table), [2.0, np.nan])


def test_finite_demands_all_columns():
    table = pd.DataFrame({"a": [1.0, np.nan, 1.0], "b": [1.0, 1.0, np.inf]})
    assert finite(table, ("a", "b")).tolist() == [True, False, False]
    assert finite(table, ("a",)).tolist() == [True, False, True]
