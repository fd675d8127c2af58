import numpy as np
import pandas as pd

from torchfit.crossmatch.join import Join, add_columns


def test_a_star_that_was_found_gets_the_new_value_and_another_keeps_its_own():
    table = pd.DataFrame({"r": [1.0, 2.0], "id": ["", "x"]}, index=[5, 6])
    columns = pd.DataFrame(
        {"r": [np.nan, 9.0], "id": ["", "y"], "new": [np.nan, 3.0]}, index=[5, 6]
    )
    joined = add_columns(table, Join(columns, np.array([False, True]), {}))
    assert joined["r"].tolist() == [1.0, 9.0]
    assert joined["id"].tolist() == ["", "y"]
    np.testing.assert_array_equal(joined["new"], [np.nan, 3.0])


def test_types_stay_and_the_table_is_not_changed():
    table = pd.DataFrame({"id": pd.array(["", "x"], "str")})
    joined = add_columns(table, Join(pd.DataFrame({"id": ["a", "b"]}), np.array([True, False]), {}))
    assert joined["id"].dtype == table["id"].dtype
    assert table["id"].tolist() == ["", "x"]
