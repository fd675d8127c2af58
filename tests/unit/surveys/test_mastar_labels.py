import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import ConfigError
from torchfit.surveys.mastar_labels import GROUPS, MastarLabels

QUANTITIES = {"teff": "TEFF", "logg": "LOGG", "fe_h": "FEH", "alpha_fe": "ALPHA"}


def test_columns_of_the_median():
    assert MastarLabels().columns == (
        "TEFF_MED", "NGROUPS", "LOGG_MED", "FEH_MED", "ALPHA_MED", "NALPHAGROUPS",
    )  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_columns_of_a_group(group):
    columns = MastarLabels(group).columns
    assert columns == (
        f"TEFF_{group}", f"VALID_{group}", f"LOGG_{group}", f"FEH_{group}", f"ALPHA_{group}",
    )  # fmt: skip


def test_gravity_of_another_group_brings_its_own_validity():
    assert {"LOGG_JI", "VALID_JI", "NGROUPS"} <= set(MastarLabels("median", "JI").columns)
    assert "LOGG_MED" not in MastarLabels("median", "JI").columns


@given(
    n_groups=st.integers(0, 4),
    n_alpha=st.integers(0, 3),
    value=st.floats(-1000, 1000, width=32) | st.just(float("nan")),
)
def test_a_median_is_valid_where_groups_stand_behind_it(n_groups, n_alpha, value):
    table = {f"{column}_MED": np.array([value]) for column in QUANTITIES.values()}
    table |= {"NGROUPS": np.array([n_groups]), "NALPHAGROUPS": np.array([n_alpha])}
    labels = MastarLabels().of(table)
    for name, column in (("teff", n_groups), ("logg", n_groups), ("alpha_fe", n_alpha)):
        assert np.isfinite(labels[name][0]) == (column > 0 and value > -100)


def test_what_marks_a_missing_label_is_told():
    labels = MastarLabels("DL")
    table = {column: np.array([-999.0, 1.0, np.nan]) for column in labels.columns}
    assert labels.sentinels(table) == "-999, nan"
    assert labels.sentinels({column: np.ones(3) for column in labels.columns}) == ""


@pytest.mark.parametrize("choice", [("mean", None), ("median", "MED"), ("JI", "")])
def test_no_such_set(choice):
    with pytest.raises(ConfigError, match="must be one of"):
        MastarLabels(*choice)
