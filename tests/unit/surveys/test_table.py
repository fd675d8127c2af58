import math

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from tests.contract.reader_contract import ReaderContract
from tests.data.table import make as files

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.surveys.table import TableReader


class TestContract(ReaderContract):
    @pytest.fixture(params=["fits", "parquet", "csv"])
    def reader(self, tmp_path, request):
        path = files.make(tmp_path / f"night.{request.param}")
        return TableReader(str(path), "vacuum", files.COLUMNS)

    def test_what_is_known_of_the_stars(self, reader):
        spectra = [spectrum for _, spectrum in reader.spectra(reader.sources())]
        assert [each.info.name for each in spectra] == ["star 0", "star 1", "star 2"]
        assert [each.info.gaia_source_id for each in spectra] == [
            str(files.GAIA + row) for row in range(3)
        ]
        assert spectra[2].info.z == pytest.approx(2e-4)
        assert spectra[0].info.snr["g"] == pytest.approx(60, rel=0.02)
        assert reader.shared_files() == (reader.file,)


def write(path, **cells):
    pd.DataFrame([{"wave": "[4000, 4001, 4002]", "flux": "1;1;1", **cells}]).to_csv(
        path, index=False
    )
    return str(path)


def test_cells_of_a_csv_errors_and_masks(tmp_path):
    path = write(tmp_path / "a.csv", e="(0.5 0 0.5)", m="0 0 1")
    columns = {"wave": "wave", "flux": "flux", "error": "e", "mask": "m"}
    reader = TableReader(path, "vacuum", columns, lsf_fwhm=2.0)
    (spectrum,) = (reader.read(source) for source in reader.sources())
    assert spectrum.ivar.tolist() == [4.0, 0.0, 0.0]
    assert spectrum.lsf_sigma == pytest.approx(2.0 / 2.3548, rel=1e-4)


def test_without_errors_the_fit_estimates_the_noise_and_air_is_converted(tmp_path):
    path = write(tmp_path / "a.csv")
    spectrum = TableReader(path, "air", {"wave": "wave", "flux": "flux"}).read("a.csv:000000000")
    assert not spectrum.has_ivar and spectrum.wave[0] == pytest.approx(4001.13, abs=0.02)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"flux": "1 1"}, "shapes"),
        ({"flux": "one"}, "no row of numbers"),
        ({"flux": "[1. ... 1.]"}, "'...' is none"),
        ({"wave": "3 2 1"}, "increasing"),
        ({"flux": "nan nan nan"}, "no good pixel"),
        ({"z": "0.5"}, "no usable redshift"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_reject(tmp_path, cells, reason):
    columns = {"wave": "wave", "flux": "flux"} | ({"z": "z"} if "z" in cells else {})
    reader = TableReader(write(tmp_path / "a.csv", **cells), "vacuum", columns, default_z=None)
    if "z" not in cells:
        reader.default_z = 0.0
    (outcome,) = (outcome for _, outcome in reader.spectra(reader.sources()))
    assert isinstance(outcome, SpectrumError)
    assert str(outcome).startswith("a.csv:000000000: ") and reason in str(outcome)


@pytest.mark.parametrize(("default_z", "expected"), [(None, math.nan), (0.0, 0.0)])
def test_a_row_without_a_redshift_has_the_default_or_none(tmp_path, default_z, expected):
    columns = {"wave": "wave", "flux": "flux", "z": "z"}
    reader = TableReader(write(tmp_path / "a.csv", z=""), "vacuum", columns, default_z=default_z)
    assert reader.read("a.csv:000000000").info.z == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("ending", ["fits", "parquet", "csv"])
def test_a_column_that_is_not_there_is_one_line(tmp_path, ending):
    path = files.make(tmp_path / f"a.{ending}")
    with pytest.raises(DataError, match=r"no column NONE; the table has LAMBDA"):
        TableReader(str(path), "air", {"wave": "LAMBDA", "flux": "NONE"}).sources()


def test_settings_that_make_no_sense_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match="use air or vacuum"):
        TableReader("a", "water", files.COLUMNS)
    with pytest.raises(ConfigError, match="must name wave and flux"):
        TableReader("a", "air", {"flux": "FLUX"})
    with pytest.raises(DataError, match="no such table"):
        TableReader(str(tmp_path / "a"), "air", files.COLUMNS).sources()


def test_arrays_of_integers_become_numbers(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"w": [[4000, 4001]], "f": [[1, 2]]}).to_parquet(path)
    reader = TableReader(str(path), "vacuum", {"wave": "w", "flux": "f"})
    np.testing.assert_array_equal(reader.read(reader.sources()[0]).flux, [1.0, 2.0])


ARRAYS = {"wave": "w", "flux": "f"}
WAVE = [[4000.0, 4001.0, 4002.0], [4000.0, 4001.0, 4002.0]]


def night(path, **columns):
    """A table of two spectra as its ending has it, read with all of its columns."""
    table = Table({"w": np.array(WAVE), "f": np.ones((2, 3))} | columns)
    if path.suffix == ".parquet":
        cells = {name: list(table[name]) for name in table.colnames}
        pd.DataFrame(cells).to_parquet(path)
    elif path.suffix == ".csv":
        cells = {name: [str(cell) for cell in table[name]] for name in table.colnames}
        pd.DataFrame(cells).to_csv(path, index=False)
    else:
        table.write(path, format={".ecsv": "ascii.ecsv", ".vot": "votable"}.get(path.suffix))
    reader = TableReader(
        str(path), "vacuum", ARRAYS | {name: name for name in columns if name not in ("e", "w")}
    )
    return [outcome for _, outcome in reader.spectra(reader.sources())]


@pytest.mark.parametrize("ending", ["fits", "parquet", "csv", "ecsv", "vot"])
@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ([0, -1], ["", ""]),
        ([files.GAIA, -9999], [str(files.GAIA), ""]),
        ([1e6, np.nan], ["1000000", ""]),
        ([float(files.GAIA), 0.0], ["", ""]),
        ([f"Gaia DR3 {files.GAIA}", "nan"], [str(files.GAIA), ""]),
    ],
)
def test_what_stands_for_no_identifier_links_no_stars(tmp_path, ending, stated, known):
    """Whatever two rows share is one star for ``data.joint=true``."""
    spectra = night(tmp_path / f"a.{ending}", gaia_source_id=stated, obsid=stated)
    assert [each.info.gaia_source_id for each in spectra] == known
    numbers = [int(text) if text else None for text in known]
    assert [each.info.obsid for each in spectra] == numbers


@pytest.mark.parametrize("word", ["nan", "N/A", "None", "--", " "])
def test_a_word_for_nothing_is_no_name(tmp_path, word):
    spectra = night(tmp_path / "a.fits", name=[word, "HD 1"], ra=[10.0, 1.0], dec=[1.0, 1.0])
    assert [each.info.name for each in spectra] == ["J10.0000+1.0000", "HD 1"]


def test_the_number_that_stands_for_nothing_in_fits(tmp_path):
    columns = [
        fits.Column("w", "3D", array=WAVE),
        fits.Column("f", "3I", array=[[5, -99, 6], [7, 8, 9]], null=-99),
        fits.Column("gaia_source_id", "K", array=[-99, files.GAIA], null=-99),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    wanted = ARRAYS | {"gaia_source_id": "gaia_source_id"}
    reader = TableReader(str(tmp_path / "a.fits"), "vacuum", wanted)
    first, second = (spectrum for _, spectrum in reader.spectra(reader.sources()))
    assert first.good.tolist() == [True, False, True]
    assert (first.info.gaia_source_id, second.info.gaia_source_id) == ("", str(files.GAIA))


@pytest.mark.parametrize("ending", ["fits", "parquet", "csv", "ecsv", "vot"])
def test_masks_that_are_true_or_false(tmp_path, ending):
    bad = np.array([[False, True, False], [False, False, True]])
    spectra = night(tmp_path / f"a.{ending}", mask=bad)
    assert [each.good.tolist() for each in spectra] == (~bad).tolist()


@pytest.mark.parametrize("rows", [(3, 2), (2, 2), (3, 0)])
def test_spectra_of_different_lengths_in_one_fits_table(tmp_path, rows):
    cells = [np.array(WAVE[0][:n]) for n in rows]
    arrays = np.empty(len(cells), dtype=object)
    arrays[:] = cells
    columns = [fits.Column(name, "PD()", array=arrays) for name in ("W", "F")]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    reader = TableReader(str(tmp_path / "a.fits"), "vacuum", ARRAYS)
    for cell, (source, outcome) in zip(cells, reader.spectra(reader.sources()), strict=True):
        if cell.size:
            np.testing.assert_array_equal(outcome.wave, cell)
            np.testing.assert_array_equal(outcome.flux, cell)
        else:
            assert isinstance(outcome, SpectrumError) and str(outcome).startswith(source)


@pytest.mark.parametrize("key", ["ivar", "error", "mask", "lsf_fwhm", "resolving_power"])
def test_an_empty_cell_is_as_good_as_no_column(tmp_path, key):
    cells = [{"w": WAVE[0], "f": [1.0, 1.0, 1.0], key: each} for each in ([1.0, 1.0, 1.0], None)]
    pd.DataFrame(cells).to_parquet(tmp_path / "a.parquet")
    reader = TableReader(str(tmp_path / "a.parquet"), "vacuum", ARRAYS | {key: key})
    without = TableReader(str(tmp_path / "a.parquet"), "vacuum", ARRAYS)
    found, plain = (each.read("a.parquet:000000001") for each in (reader, without))
    assert (found.has_ivar, found.good.all(), found.lsf_sigma) == (False, True, None)
    np.testing.assert_array_equal(found.ivar, plain.ivar)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"f": None}, "no flux (an empty cell)"),
        ({"f": None, "w": None}, "no wave and flux (an empty cell)"),
        ({"mask": [0, 1]}, "mask has 2 values, wave 3"),
    ],
)
def test_cells_that_do_not_fit_say_why(tmp_path, cells, reason):
    rows = [{"w": WAVE[0], "f": [1.0] * 3, "mask": [0] * 3}, {"w": WAVE[0], "f": [1.0] * 3} | cells]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    reader = TableReader(str(tmp_path / "a.parquet"), "vacuum", ARRAYS | {"mask": "mask"})
    outcome = dict(reader.spectra(reader.sources()))["a.parquet:000000001"]
    assert str(outcome) == f"a.parquet:000000001: {reason}"
    assert type(outcome) is SpectrumError


@pytest.mark.parametrize("ending", ["fits", "parquet", "csv", "ecsv"])
@pytest.mark.parametrize(
    ("columns", "ivar", "has_ivar"),
    [
        ({"error": "e"}, 4.0, True),
        ({"ivar": None}, 1.0, False),
        ({"ivar": None, "z": None}, 1, False),
    ],
)
def test_a_table_without_inverse_variances(tmp_path, ending, columns, ivar, has_ivar):
    """The preset names a column ``ivar``, whether the table has it or not."""
    path = tmp_path / f"a.{ending}"
    night(path, e=np.full((2, 3), 0.5))
    preset = {"wave": "w", "flux": "f", "ivar": "ivar"}
    spectrum = TableReader(str(path), "vacuum", preset | columns).read(f"a.{ending}:000000000")
    assert spectrum.ivar.tolist() == [ivar] * 3 and spectrum.has_ivar == has_ivar
    with pytest.raises(DataError, match=r"no column (?i:ivar); .* null for what is not there"):
        dict(TableReader(str(path), "vacuum", preset).spectra([f"a.{ending}:000000000"]))


@pytest.mark.parametrize("word", ["null", "None", "NaN", "--", "masked"])
@pytest.mark.parametrize("form", ["[1.0,{},1]", "1.0D+00 {} 1d0", "(1; {}; 1e0)"])
def test_words_for_nothing_among_the_numbers_of_a_text(tmp_path, form, word):
    path = write(tmp_path / "a.csv", flux=form.format(word))
    spectrum = TableReader(path, "vacuum", {"wave": "wave", "flux": "flux"}).read("a.csv:000000000")
    assert spectrum.good.tolist() == [True, False, True]
    assert spectrum.flux[spectrum.good].tolist() == [1.0, 1.0]


@pytest.mark.filterwarnings("ignore:Length of header")
def test_rows_of_a_csv_that_end_in_a_comma(tmp_path):
    (tmp_path / "a.csv").write_text("wave,flux,ivar\n1 2 3,4 5 6,7 8 9,\n1 2 3,4 5 6,7 8 9,\n")
    columns = {"wave": "wave", "flux": "flux", "ivar": "ivar"}
    spectrum = TableReader(str(tmp_path / "a.csv"), "vacuum", columns).read("a.csv:000000001")
    found = spectrum.wave.tolist(), spectrum.flux.tolist(), spectrum.ivar.tolist()
    assert found == ([1, 2, 3], [4, 5, 6], [7, 8, 9])


@pytest.mark.parametrize("filling", [0.0, np.nan, -1.0])
@pytest.mark.parametrize("place", [slice(2, None), slice(0, 1), slice(0, 3)])
def test_pixels_without_a_wavelength_are_no_pixels(tmp_path, filling, place):
    """As FITS tables of one length have them, whose spectra are of several."""
    wave = np.array(WAVE)
    wave[0, place] = filling
    weight, width = np.array([[1.0, 2.0, 3.0]] * 2), np.array([[2.0, 2.5, 3.0]] * 2)
    padded, whole = night(tmp_path / "a.fits", w=wave, ivar=weight, lsf_fwhm=width)
    there = np.isin(np.arange(3), np.arange(3)[place], invert=True)
    if there.any():
        assert padded.wave.tolist() == whole.wave[there].tolist()
        assert padded.ivar.tolist() == weight[0, there].tolist()
        np.testing.assert_allclose(padded.lsf_sigma, whole.lsf_sigma[there])
    else:
        assert str(padded) == "a.fits:000000000: wave has no positive number"
