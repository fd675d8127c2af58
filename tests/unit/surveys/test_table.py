import math

import numpy as np
import pandas as pd
import pytest
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
