import gzip
import logging
import pickle

import numpy as np
import pytest
from astropy.table import Table
from tests.contract.reader_contract import ReaderContract
from tests.data.lamost import make as files

from torchfit.exceptions import DataError, SpectrumError
from torchfit.surveys.lamost import LamostReader
from torchfit.surveys.lamost_catalogue import LamostCatalogue

GAIA = "4054468390158237441"
ROWS = {
    "obsid": [11, 12, 13, 14, 15],
    "uid": ["G1", "G2", "G2", "", "G5"],
    "lmjd": [60591, 60591, 60592, 60593, 60594],
    "planid": ["LN04M01", "LN04M01", "F5902", "F5902", "GAC_1"],
    "spid": [1, 1, 16, 2, 3],
    "fiberid": [7, 250, 3, 4, 5],
    "class": ["STAR", "STAR", "STAR", "STAR", "GALAXY"],
    "subclass": ["G3", "K1", "K1", "", "Non"],
    "z": [1e-4, -9999.0, 2e-4, 3e-4, 1e-4],
    "z_err": [1e-5, -9999.0, 1e-5, 1e-5, 1e-5],
    "snrg": [33.5, -9999.0, 20.0, 21.0, 22.0],
    "ra_obs": [1.5, 2.5, 3.5, 4.5, 5.5],
    "gaia_source_id": [GAIA, "", "1", "-9999", "2"],
    "teff": [5777.0, -9999.0, 4800.0, 4900.0, 5000.0],
    "feh": [-0.5, -9999.0, 0.1, 0.2, 0.3],
    "alpha_m": [0.1, 0.1, 0.1, 0.1, 0.1],
}
"""The rows 11 to 13 have files, 14 has none, 15 is a galaxy with a file."""
STEMS = ("spec-60591-LN04M01_sp01-007", "spec-60591-LN04M01_sp01-250", "13", "",
         "spec-60594-GAC_1_sp03-005")  # fmt: skip


@pytest.fixture
def root(tmp_path):
    """Files of the rows as the survey lays them out, one by its obsid, and one without a row."""
    folder = tmp_path / "tree"
    for obsid, stem in zip(ROWS["obsid"], STEMS, strict=True):
        if stem:
            header = {"OBSID": obsid, "Z": 5e-4, "SUBCLASS": "F0"}
            files.make(folder / "20241007" / f"{stem}.fits.gz", "table", header)
    files.make(folder / "20241007" / "spec-60591-OTHER_sp01-001.fits.gz")
    return folder


def csv_text(delimiter=",", prefix="", rows=None):
    rows = ROWS if rows is None else rows
    lines = [delimiter.join(prefix + name for name in rows)]
    lines += [
        delimiter.join(str(value) for value in row) for row in zip(*rows.values(), strict=True)
    ]
    return "\n".join(lines) + "\n"


def write(path, form, rows=None):
    rows = ROWS if rows is None else rows
    if form.startswith("fits"):
        names = {"gaia_source_id": "GAIA_SOURCE_ID"} if form == "fits_upper" else {}
        table = Table({names.get(name, name): values for name, values in rows.items()})
        table.write(path, format="fits")
    else:
        options = {"pipe": {"delimiter": "|"}, "web": {"delimiter": "|", "prefix": "combined_"}}
        path.write_text(csv_text(rows=rows, **options.get(form, {})))
    return path


def packed(path):
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


FORMS = ["comma", "pipe", "web", "fits", "fits_upper"]


@pytest.fixture(params=[False, True], ids=["plain", "gz"])
def catalogue(request, tmp_path, form):
    path = write(tmp_path / "table", form)
    return str(packed(path) if request.param else path)


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, root, tmp_path):
        rows = {name: values[:3] for name, values in ROWS.items()}
        rows["z"] = [5e-4] * 3
        return LamostReader(str(root), None, str(write(tmp_path / "t.csv", "comma", rows)))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_is_one(root, catalogue, form):
    reader = LamostReader(str(root), None, catalogue)
    assert reader.sources() == sorted(f"20241007/{stem}.fits.gz" for stem in STEMS if stem)
    first, second = (reader.read(f"20241007/{stem}.fits.gz").info for stem in STEMS[:2])
    assert (first.obsid, first.uid, first.mjd) == (11, "G1", 60591)
    assert first.gaia_source_id == GAIA
    assert (first.z, first.z_err, first.subclass, first.ra_obs) == (1e-4, 1e-5, "G3", 1.5)
    assert first.snr["g"] == 33.5
    assert first.labels == {"teff": 5777.0, "fe_h": -0.5}
    assert second.gaia_source_id == ""
    assert second.labels == {}


@pytest.mark.parametrize("form", ["comma", "fits"])
def test_what_the_table_does_not_know_the_file_does(root, catalogue, form):
    info = LamostReader(str(root), None, catalogue).read(f"20241007/{STEMS[1]}.fits.gz").info
    assert info.z == 5e-4
    assert info.snr["g"] == 102.45
    assert info.snr["r"] == 194.94
    assert info.z_err == 1.428e-5


@pytest.mark.parametrize("form", ["comma"])
def test_the_class_of_the_table_counts(root, catalogue, form):
    reader = LamostReader(str(root), None, catalogue)
    with pytest.raises(SpectrumError, match="not a star \\(CLASS is GALAXY\\)"):
        reader.read(f"20241007/{STEMS[4]}.fits.gz")


@pytest.mark.parametrize("form", ["comma"])
def test_rows_and_files_without_partner_are_counted(root, catalogue, form, caplog):
    files.make(root / "copy" / f"{STEMS[0]}.fits")
    with caplog.at_level(logging.INFO):
        sources = LamostReader(str(root), None, catalogue).sources()
    assert (
        "4 files have a row; 1 files without row left out, 1 rows without file, 1 more files"
    ) in caplog.text
    assert sum(STEMS[0] in source for source in sources) == 1


@pytest.mark.parametrize("form", ["comma"])
def test_a_part_knows_its_rows_and_no_others(root, catalogue, form):
    reader = LamostReader(str(root), None, catalogue)
    source = f"20241007/{STEMS[0]}.fits.gz"
    part = pickle.loads(pickle.dumps(reader.part([source])))
    assert part.read(source).info == reader.read(source).info
    assert len(pickle.dumps(part)) < 2000
    assert part.read(f"20241007/{STEMS[2]}.fits.gz").info.uid == ""


def test_labels_of_the_table_of_m_dwarfs(root, tmp_path):
    rows = {"m_h" if name == "feh" else name: values for name, values in ROWS.items()}
    reader = LamostReader(str(root), None, str(write(tmp_path / "t", "fits", rows)))
    assert reader.read(f"20241007/{STEMS[0]}.fits.gz").info.labels["fe_h"] == -0.5


def test_alpha_over_m_is_not_alpha_over_fe(root, tmp_path):
    reader = LamostReader(str(root), None, str(write(tmp_path / "t", "comma")))
    assert "alpha_fe" not in reader.read(f"20241007/{STEMS[0]}.fits.gz").info.labels


def test_a_file_of_another_spectrum(root, tmp_path):
    rows = {**ROWS, "obsid": [99, 12, 13, 14, 15]}
    reader = LamostReader(str(root), None, str(write(tmp_path / "t", "comma", rows)))
    with pytest.raises(SpectrumError, match="its obsid is 11, that of its row 99"):
        reader.read(f"20241007/{STEMS[0]}.fits.gz")


def test_an_identifier_that_was_made_a_float_is_not_used(root, tmp_path, caplog):
    rows = {**ROWS, "gaia_source_id": np.full(5, float(GAIA))}
    reader = LamostReader(str(root), None, str(write(tmp_path / "t", "fits", rows)))
    assert reader.read(f"20241007/{STEMS[0]}.fits.gz").info.gaia_source_id == ""
    assert "have lost their last digits" in caplog.text


@pytest.mark.parametrize("form", ["comma", "fits"])
def test_an_obsid_that_stands_twice(tmp_path, form):
    rows = {**ROWS, "obsid": [11, 12, 11, 14, 12]}
    with pytest.raises(DataError, match="2 obsids stand in more than one row, 11 the first"):
        LamostCatalogue.read(write(tmp_path / "t", form, rows))


@pytest.mark.parametrize("form", ["comma", "pipe", "fits"])
def test_a_missing_column(tmp_path, form):
    rows = {name: values for name, values in ROWS.items() if name not in ("planid", "spid")}
    with pytest.raises(
        DataError,
        match=r"no column for spid .*, planid .*; it has: (obsid, uid|OBSID, UID)",
    ):
        LamostCatalogue.read(write(tmp_path / "t", form, rows))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.replace(b"60591", b"night"),
        lambda raw: gzip.compress(raw)[:-40],
        lambda raw: b"",
        lambda raw: b"<html>not found</html>",
    ],
    ids=["text for a number", "cut gzip", "empty", "html"],
)
def test_a_damaged_table(tmp_path, spoil):
    path = write(tmp_path / "t.csv", "comma")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=r"t\.csv") as caught:
        LamostCatalogue.read(path)
    assert "\n" not in str(caught.value)


def test_a_missing_table(root):
    with pytest.raises(DataError, match="no such table: nowhere"):
        LamostReader(str(root), None, "nowhere.csv").sources()


def test_a_table_of_other_files(root, tmp_path):
    rows = {**ROWS, "planid": ["X"] * 5, "obsid": [1, 2, 3, 4, 5]}
    with pytest.raises(DataError, match="none of 5 files has a row in"):
        LamostReader(str(root), None, str(write(tmp_path / "t", "comma", rows))).sources()
