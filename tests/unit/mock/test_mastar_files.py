"""The written files have the columns of the data model, and astropy reads back what was given."""

import numpy as np
import pytest
from astropy.io import fits
from tests.data.mastar import make as files

from torchfit.mock.mastar_files import N_PIX, WAVE

NAMES = {
    "summary": "mastarall-v3_1_1-v1_7_7.fits",
    "visits": "mastar-goodvisits-v3_1_1-v1_7_7-params-v2.fits",
    "stars": "mastar-goodstars-v3_1_1-v1_7_7-params-v2.fits",
    "spectra": "mastar-goodspec-v3_1_1-v1_7_7.fits.gz",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Every table by file and unit."""
    folder = files.make(tmp_path_factory.mktemp("mastar"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES.values())
    found = {}
    for name, file in NAMES.items():
        with fits.open(folder / file) as hdus:
            hdus.verify("exception")
            found |= {(name, unit): hdus[unit].copy() for unit in range(1, len(hdus))}
    return found


def test_units(tables):
    assert [(*key, table.name) for key, table in tables.items() if key[0] == "summary"] == [
        ("summary", 1, "GOODSTARS"),
        ("summary", 2, "GOODVISITS"),
    ]
    assert len(tables) == 5


@pytest.mark.parametrize(
    ("table", "n_columns", "types"),
    [
        (("summary", 1), 18, {"MANGAID": "25A", "NVISITS": "J", "INPUT_SOURCE": "16A"}),
        (("summary", 2), 32, {"IFUDESIGN": "6A", "PSFMAG": "5E", "NEXP_VISIT": "I", "S2N": "E"}),
        (("visits", 1), 85, {"INPUT_GROUPS": "4I", "MODEL_LH": "10A", "TEFF_ERR_UP_LH": "E"}),
        (("stars", 1), 73, {"NVISITS": "I", "TEFF_ERR_LH": "E", "INPUT_ALPHA_GROUPS_NAME": "32A"}),
        (("spectra", 1), 38, {"WAVE": "4563D", "FLUX": "4563E", "MASK": "4563J"}),
    ],
)  # fmt: skip
def test_columns(tables, table, n_columns, types):
    formats = dict(zip(tables[table].columns.names, tables[table].columns.formats, strict=True))
    assert len(formats) == n_columns
    assert types.items() <= formats.items()


def test_no_chi_squared_of_stars(tables):
    names = tables["stars", 1].columns.names
    assert not [name for name in names if name.startswith(("CHISQ", "MODEL"))]


def test_text_is_padded_with_blanks(tables):
    raw = tables["summary", 2].data.view(np.ndarray)["MANGAID"]
    assert {len(text.tobytes()) for text in raw} == {25}
    assert all(text.tobytes().endswith(b" ") and b"\0" not in text.tobytes() for text in raw)


def test_every_file_has_its_own_order(tables):
    orders = [
        tuple(tables[key].data["MJD"]) for key in (("summary", 2), ("visits", 1), ("spectra", 1))
    ]
    assert len(set(orders)) == 3
    assert len({tuple(sorted(order)) for order in orders}) == 1


def test_invalid_labels(tables):
    data = tables["visits", 1].data
    visit = np.argsort(data["MJD"])
    assert list(np.flatnonzero(data["NGROUPS"][visit] == 0)) == [5]
    assert list(np.flatnonzero(data["NALPHAGROUPS"][visit] == 0)) == [5, 6]
    assert data["TEFF_MED"][visit][5] == data["ALPHA_MED"][visit][6] == -999
    assert list(np.flatnonzero(data["VALID_JI"][visit] == 0)) == [5, 7]


def test_spectra(tables):
    data = tables["spectra", 1].data
    visit = np.argsort(data["MJD"])
    np.testing.assert_array_equal(data["WAVE"][0], WAVE)
    assert WAVE[[0, -1]] == pytest.approx([3621.5960, 10353.8054], abs=1e-4)
    np.testing.assert_allclose(data["FLUX"][visit, 0], 1.0 + np.arange(24))
    assert (data["IVAR"][:, files.BAD] == 0).all()
    assert data["MASK"].shape == (24, N_PIX)


def test_the_same_content_is_the_same_bytes(tmp_path):
    folders = [files.make(tmp_path / name) for name in "ab"]
    for name in NAMES.values():
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_old_names_of_the_positions(tmp_path):
    files.make(tmp_path, objra=True)
    with fits.open(tmp_path / NAMES["summary"]) as hdus:
        assert {"OBJRA", "OBJDEC"} <= set(hdus[2].columns.names)
        assert "RA" not in hdus[2].columns.names
