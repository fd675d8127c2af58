"""Every reference of the configuration, on tables with the columns of the real ones."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from tests.integration.running import ROOT

from torchfit.compare.reference import Reference
from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.user_table import TableSchema
from torchfit.exceptions import ConfigError, DataError
from torchfit.names import LABELS as LABELS_OF_OURS
from torchfit.names import Label
from torchfit.run.build import build

OURS = pd.DataFrame(
    {
        "source": [
            "spec-57287-KP193637N444141V03_sp10-161.fits.gz",
            "dr10/3709013.fits.gz",
            "c.fits",
        ],
        "obsid": pd.array([101, 102, None], "Int64"),
        "gaia_source_id": ["3428806540132843520", "", ""],
        "ra": [10.0, 20.0, 30.0],
        "dec": [0.0, 0.0, 0.0],
        "teff": [5000.0, 6000.0, 8000.0],
        "logg": [4.0, 4.0, 4.0],
        "fe_h": [0.0, 0.0, 0.0],
        "alpha_fe": [0.1, 0.1, 0.1],
    }
)
PLACES = {"ra": [10.0, 20.0, 30.0], "dec": [0.0, 0.0, 0.0]}
LABELS = {"teff": [5010.0, 6010.0, 8010.0], "logg": [4.1, 4.1, 4.1], "feh": [0.2, 0.2, 0.2]}
ERRORS = {"teff_err": [50.0, 250.0, 400.0], "logg_err": [0.1] * 3, "feh_err": [0.05] * 3}
APOGEE = {
    "RA": PLACES["ra"],
    "DEC": PLACES["dec"],
    "TEFF": [5010.0, 6010.0, -9999.0],
    "LOGG": [4.1] * 3,
    "FE_H": [0.2] * 3,
    "M_H": [0.25] * 3,
    "ALPHA_M": [0.1] * 3,
    "ASPCAPFLAG": [0, 0, 0],
    "STARFLAG": [0, 0, 0],
    "EXTRATARG": [0, 16, 0],
}


def reference(name, path, *overrides):
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        options = [f"compare=[{name}]", f"compare.{name}.path={path}", *overrides]
        cfg = compose("validate", ["results=x", "output_dir=x", *options])
    return build(cfg.compare)[name]


@pytest.fixture
def compared(tmp_path):
    """``compared(name, columns)``: our stars beside a table of these columns."""

    def run(name, *overrides, **columns):
        path = tmp_path / "theirs.csv"
        pd.DataFrame(columns).to_csv(path, index=False)
        made = reference(name, path, *overrides)
        made.check()
        return made.compare(OURS)

    return run


def teff(comparison):
    return np.nan_to_num(comparison.theirs[:, 0]).tolist()


@pytest.mark.parametrize("name", ["apogee_dr16", "apogee_dr17"])
def test_apogee(compared, name):
    ids = {"GAIAEDR3_SOURCE_ID": [3428806540132843520, 5, 6]}
    comparison = compared(name, **APOGEE, **ids)
    assert teff(comparison) == [5010.0, 0.0, 0.0]
    # [alpha/Fe] is [alpha/M] + [M/H] - [Fe/H], never [alpha/M] under another name.
    assert comparison.theirs[0, 3] == pytest.approx(0.1 + 0.25 - 0.2)
    assert comparison.published["FGK"]["teff"] == (38.0, 127.0)


def test_the_cut_of_the_paper_drops_flagged_stars(compared):
    flagged = APOGEE | {"ASPCAPFLAG": [128, 0, 0], "EXTRATARG": [0, 0, 0]}
    assert teff(compared("apogee_dr16", **flagged)) == [0.0, 6010.0, 0.0]


def test_lasp_has_two_cuts(compared):
    columns = {"obsid": [101, 102, 103], "snrg": [30.0] * 3, **PLACES, **LABELS, **ERRORS}
    cool, hot = compared("lasp", **columns), compared("lasp_a", **columns)
    assert teff(cool) == [5010.0, 0.0, 0.0]
    assert teff(hot) == [0.0, 0.0, 8010.0]
    assert (cool.line["by identifier"], hot.line["by place"]) == (1, 1)


def test_laspm_sets_m_h_beside_fe_h_and_says_so(compared):
    columns = {"obsid": [101], "teff": [3600.0], "logg": [4.8], "m_h": [-0.3], "snri": [40.0]}
    comparison = compared("laspm", **columns)
    assert comparison.theirs[0].tolist() == [3600.0, 4.8, -0.3]
    assert "[M/H]" in comparison.remark


def test_pastel_is_the_median_of_the_rows_with_all_labels(compared):
    columns = {
        "_RA": [10.0] * 4,
        "_DE": [0.0] * 4,
        "Teff": [5000.0, 5100.0, 5300.0, 9000.0],
        "logg": [4.0, 4.2, 4.4, None],
        "[Fe/H]": [0.0, 0.1, 0.2, 0.3],
    }
    comparison = compared("pastel", **columns)
    np.testing.assert_allclose(comparison.theirs[0], [5100.0, 4.2, 0.1])
    assert comparison.line["rows"] == 3


def test_hotpayne_is_found_by_the_name_of_the_file(compared):
    identifier = "20150913-KP193637N444141V03-10-161".ljust(36)
    columns = {"SpecID": [identifier], "Teff": [9000.0], "logg": [4.0], "[Fe/H]": [0.1]}
    comparison = compared("hotpayne", **columns)
    assert teff(comparison) == [9000.0, 0.0, 0.0]
    assert comparison.line["by identifier"] == 1


def test_gaia_eso(compared):
    columns = {"RA": [20.0], "DECLINATION": [0.0], "TEFF": [6100.0], "LOGG": [4.0], "FEH": [0.0]}
    assert teff(compared("gaia_eso", **columns)) == [0.0, 6100.0, 0.0]


def test_pylasp_is_found_by_the_name_of_the_file(compared):
    columns = {
        "ID": ["3709013.fits"],
        "pred_Teff": [5791.0],
        "pred_logg": [4.3],
        "pred_FeH": [-0.3],
    }
    assert teff(compared("pylasp", **columns)) == [0.0, 5791.0, 0.0]


def test_any_other_table(compared):
    comparison = compared("labels", "compare.labels.title=Mine", obsid=[102], Teff=[6100.0])
    assert comparison.title == "Mine"
    assert teff(comparison) == [0.0, 6100.0, 0.0]
    assert np.isnan(comparison.theirs[1, 1:]).all()


def test_a_missing_column_fails_with_the_columns_found(compared):
    with pytest.raises(DataError, match=r"no column for logg .*it has: obsid, teff"):
        compared("laspm", obsid=[1], teff=[1.0])


def test_labels_that_we_have_not_are_left_out(compared):
    path = reference("apogee_dr17", "x").path
    assert path == "x"
    table = APOGEE | {"GAIAEDR3_SOURCE_ID": [1, 2, 3]}
    three = compared("apogee_dr17", **table)
    assert three.labels == ("teff", "logg", "fe_h", "alpha_fe")


def test_our_catalogue_may_have_three_labels(tmp_path):
    pd.DataFrame(APOGEE).to_csv(tmp_path / "a.csv", index=False)
    comparison = reference("apogee_dr16", tmp_path / "a.csv").compare(OURS.drop(columns="alpha_fe"))
    assert comparison.labels == ("teff", "logg", "fe_h")
    assert comparison.theirs.shape == (3, 3)


def test_labels_may_have_any_name(tmp_path, caplog):
    """Those of a library of one's own; the others of the table are named, and left out."""
    path = tmp_path / "theirs.csv"
    columns = {"obsid": [102, 101], "teff": [6010.0, 5010.0], "VSINI": [7.0, 80.0], "C": [0, 1]}
    pd.DataFrame(columns).to_csv(path, index=False)
    schema = TableSchema(
        {"teff": ["teff"], "vsini": ["VSINI"], "c_fe": ["C"]}, {"obsid": ["obsid"]}
    )
    made = Reference(str(path), schema, ["vsini", "teff", "c_fe"], SharedKey("obsid", "obsid"))
    ours = (*LABELS_OF_OURS[:3], Label("vsini", "km/s", "Rotation"))
    assert "vsini" in made.needs()
    found = made.compare(OURS.assign(vsini=[70.0, 8.0, 9.0]), ours)
    assert found.labels == ("teff", "vsini")
    assert found.labels[1].unit == "km/s"
    np.testing.assert_array_equal(found.theirs, [[5010, 80], [6010, 7], [np.nan, np.nan]])
    assert "our catalogue has no label c_fe" in caplog.text


@pytest.mark.parametrize(
    ("columns", "sums", "text"),
    [
        (["logg"], {}, "teff among them"),
        (["teff"], {"teff": {"x": 1.0}}, "not read: ['x']"),
    ],
)
def test_impossible_references_are_refused(columns, sums, text):
    with pytest.raises(ConfigError) as error:
        Reference("x", TableSchema({}), columns, SharedKey("a", "b"), sums=sums)
    assert text in str(error.value)


def test_a_name_under_which_nothing_was_published_is_refused(tmp_path):
    known = reference("lasp", tmp_path / "theirs.csv")
    assert known.published == "LASP"
    with pytest.raises(ConfigError, match="nothing was published against GALAH"):
        dataclasses.replace(known, published="GALAH")
