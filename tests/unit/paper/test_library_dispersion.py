from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from torchfit.exceptions import DataError
from torchfit.paper.library_dispersion import SUBCLASSES, Measured, read_measured
from torchfit.report.metrics import SPECTRAL_CLASSES


def test_subclasses_part_all_temperatures():
    assert SUBCLASSES[0].low == 0.0 and SUBCLASSES[-1].high == np.inf
    for one, next_one in pairwise(SUBCLASSES):
        assert one.high == next_one.low


def test_rows_are_by_published_temperature():
    truth = np.array([[5700.0, 4.0], [5800.0, 4.0], [9000.0, 4.0]])
    rows = Measured(truth, truth + np.array([10.0, 0.1]), ("teff", "logg")).rows("x", SUBCLASSES)
    assert {(row["class"], row["n"]) for row in rows} == {("G0-4", 2), ("A0-4", 1)}
    assert all(row["sample"] == "x" for row in rows)
    coarse = Measured(truth, truth, ("teff", "logg")).rows("x", SPECTRAL_CLASSES)
    assert {row["class"] for row in coarse} == {"FGK", "A"}


def write(folder, in_library):
    columns = {"in_library": in_library, "teff": [5000.0, 6000.0], "logg": 4.0, "fe_h": 0.0}
    columns |= {"teff_lit": [5010.0, 6010.0], "logg_lit": 4.1, "fe_h_lit": np.nan}
    pd.DataFrame(columns).to_parquet(folder / "catalogue.parquet")


def test_stars_of_the_training_library_do_not_count(tmp_path):
    write(tmp_path, [False, True])
    found = read_measured(tmp_path)
    assert found.labels == ("teff", "logg", "fe_h")
    assert found.truth[:, :2].tolist() == [[5010.0, 4.1]] and found.found[0, 0] == 5000.0


def test_without_a_star_or_a_catalogue_it_is_said(tmp_path):
    with pytest.raises(DataError, match="no catalogue"):
        read_measured(tmp_path)
    write(tmp_path, [True, True])
    with pytest.raises(DataError, match="no star"):
        read_measured(tmp_path)
