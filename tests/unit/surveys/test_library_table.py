import numpy as np
import pytest
import torch
from tests.contract.reader_contract import ReaderContract
from tests.data.lamost import make as lamost
from tests.data.library import make as library

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.names import FWHM_PER_SIGMA
from torchfit.surveys.lamost import LamostReader
from torchfit.surveys.library_table import LibraryTableReader
from torchfit.surveys.stated_resolution import StatedResolution

IN_FILES = {"name": "STAR", "file": "FILE"}


def of_arrays(path, **settings):
    given = {"labels": library.LABELS, "columns": library.COLUMNS, "errors": {"teff": "E_TEFF"}}
    return LibraryTableReader(str(path), "vacuum", **(given | settings))


def of_files(path, **settings):
    given = {"medium": "vacuum", "labels": library.LABELS, "columns": IN_FILES}
    return LibraryTableReader(str(path), **(given | settings))


class TestArraysContract(ReaderContract):
    @pytest.fixture(params=library.ENDINGS)
    def reader(self, tmp_path, request):
        path = library.make_arrays(tmp_path / f"library.{request.param}")
        return of_arrays(path, resolution=StatedResolution(lsf_fwhm=2.5))

    def test_labels_errors_and_stars_are_those_of_the_table(self, reader):
        infos = [spectrum.info for _, spectrum in reader.spectra(reader.sources())]
        assert [info.labels["vsini"] for info in infos] == [0, 5, 10, 15]
        assert [info.labels["teff"] for info in infos] == [5000, 5100, 5200, 5300]
        assert [info.label_errors for info in infos] == [{"teff": 50.0 + n} for n in range(4)]
        assert [info.name for info in infos] == ["star 0", "star 1", "star 2", "star 2"]
        assert reader.shared_files() == (reader.file,)


class TestFilesContract(ReaderContract):
    @pytest.fixture(params=["fits", "csv"])
    def reader(self, tmp_path, request):
        return of_files(library.make_files(tmp_path / f"stars.{request.param}"))

    def test_labels_and_stars_are_those_of_the_table(self, reader):
        infos = {source: reader.read(source).info for source in reader.sources()}
        assert infos["spectra/1.fits"].labels["vsini"] == 5
        assert infos["spectra/3.fits"].name == "star 2"
        assert reader.file_of("spectra/1.fits") == reader.file.parent / "spectra/1.fits"


def test_a_folder_holds_one_table(tmp_path):
    library.make_arrays(tmp_path / "library.parquet")
    (tmp_path / "report.html").touch()
    assert len(of_arrays(tmp_path).sources()) == library.N_STARS
    library.make_arrays(tmp_path / "library.csv")
    with pytest.raises(DataError, match=r"it holds library\.csv, library\.parquet"):
        of_arrays(tmp_path).sources()


def test_resolution_of_all_of_a_star_and_of_every_pixel(tmp_path):
    arrays = library.make_arrays(tmp_path / "a.fits")
    files = library.make_files(tmp_path / "b.fits")
    stated = of_arrays(arrays, resolution=StatedResolution(resolving_power=2000.0))
    own = of_arrays(arrays, columns=library.COLUMNS | {"lsf_fwhm": "FWHM"})
    of_star = of_files(files, columns=IN_FILES | {"resolving_power": "R"})
    for reader, fwhm in ((stated, None), (own, 2.5), (of_star, None)):
        spectrum = reader.read(reader.sources()[0])
        wanted = spectrum.wave / 2000 if fwhm is None else np.full_like(spectrum.wave, fwhm)
        np.testing.assert_allclose(spectrum.lsf_sigma * FWHM_PER_SIGMA, wanted)
    wave = torch.tensor([5000.0], dtype=torch.float64)
    assert own.lsf_fwhm_at(wave) is None
    assert stated.lsf_fwhm_at(wave).item() == pytest.approx(2.5)


def test_a_survey_reads_its_own_files_with_its_masks_and_redshifts(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    lamost.make(root / "spec-1.fits", header={"Z": 2e-4})
    columns = {key: values[:1] for key, values in library.labels().items()}
    table = library.write(tmp_path / "apogee.fits", columns | {"FILE": np.array(["spec-1.fits"])})
    reader = of_files(table, medium=None, survey="lamost", root=str(root))
    spectrum, own = reader.read("spec-1.fits"), LamostReader(str(root)).read("spec-1.fits")
    np.testing.assert_array_equal(spectrum.ivar, own.ivar)
    assert spectrum.info.z == own.info.z == pytest.approx(2e-4)
    assert spectrum.info.labels["teff"] == 5000 and spectrum.info.name == "star 0"
    assert reader.lsf_fwhm == LamostReader.lsf_fwhm


def test_a_survey_that_has_no_redshift_of_a_star_gives_no_template(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    lamost.make(root / "spec-1.fits", header={"Z": -9999.0})
    columns = {key: values[:1] for key, values in library.labels().items()}
    named = columns | {"FILE": np.array(["spec-1.fits"]), "Z": np.array([3e-4])}
    table = library.write(tmp_path / "apogee.fits", named)
    settings = {"medium": None, "survey": "lamost", "root": str(root)}
    with pytest.raises(SpectrumError, match=r"spec-1\.fits: no redshift; name its column"):
        of_files(table, **settings).read("spec-1.fits")
    given = of_files(table, columns=IN_FILES | {"z": "Z"}, **settings).read("spec-1.fits")
    assert given.info.z == pytest.approx(3e-4)


def test_labels_that_are_not_known_are_not_there(tmp_path):
    columns = library.labels() | {"FILE": np.array(["a", "b", "", "d"])}
    columns["FEH"] = np.array([-9999.0, np.nan, 0.0, 0.5])
    reader = of_files(library.write(tmp_path / "t.csv", columns))
    assert reader.sources() == ["a", "b", "d"]
    assert [("fe_h" in reader.stars[source].labels) for source in reader.sources()] == [0, 0, 1]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"medium": "water"}, "use air or vacuum"),
        ({"medium": None}, "Give library.reader.medium=air or"),
        ({"survey": "gaia"}, "use one of files, desi, lamost"),
        ({"columns": {"name": "STAR", "wave": "LAMBDA"}}, "must name file, or wave and flux"),
        ({"columns": library.COLUMNS | {"colour": "B-V"}}, "no colour; use error, file, flux"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(settings, reason):
    given = {"medium": "vacuum", "columns": library.COLUMNS}
    with pytest.raises(ConfigError, match=reason) as raised:
        LibraryTableReader("a.fits", **(given | settings))
    assert "\n" not in str(raised.value)


def test_a_resolution_that_is_stated_twice_is_refused(tmp_path):
    columns = library.COLUMNS | {"lsf_fwhm": "FWHM"}
    path = library.make_arrays(tmp_path / "a.fits")
    reader = of_arrays(path, columns=columns, resolution=StatedResolution(lsf_fwhm=2.0))
    with pytest.raises(ConfigError, match="the column FWHM both state it"):
        reader.sources()


@pytest.mark.parametrize("has", [True, False])
def test_weights_and_resolution_under_their_own_names_may_be_there(tmp_path, has):
    wave = np.tile(np.arange(4000.0, 4010.0), (3, 1))
    columns = {"name": np.array(["a", "b", "c"]), "wave": wave, "flux": np.ones_like(wave)}
    columns |= {label: np.full(3, 5000.0) for label in ("teff", "logg", "fe_h")}
    columns |= {"ivar": np.full_like(wave, 4.0), "lsf_fwhm": np.full_like(wave, 2.0)} if has else {}
    library.write(tmp_path / "library.parquet", columns)
    reader = LibraryTableReader(str(tmp_path), "vacuum")
    spectrum = reader.read(reader.sources()[0])
    assert spectrum.has_ivar is has and (spectrum.lsf_sigma is not None) is has
    with pytest.raises(DataError, match="no column SIGMA"):
        named = {"wave": "wave", "flux": "flux", "ivar": "SIGMA"}
        LibraryTableReader(str(tmp_path), "vacuum", columns=named).read(reader.sources()[0])


def test_a_spectrum_named_twice_a_missing_column_and_an_empty_table(tmp_path):
    columns = library.labels() | {"FILE": np.array(["a", "b", "a", "d"])}
    with pytest.raises(DataError, match="names the spectrum a more than once"):
        of_files(library.write(tmp_path / "twice.csv", columns)).sources()
    path = library.write(tmp_path / "none.csv", columns | {"FILE": np.array([""] * 4)})
    with pytest.raises(DataError, match="no row with a spectrum"):
        of_files(path).sources()
    with pytest.raises(DataError, match=r"no column for label fe_h .*it has: Teff"):
        of_files(path, labels={"fe_h": "M_H"}).sources()


def test_labels_beside_other_rows_of_spectra_are_refused(tmp_path):
    path = library.make_arrays(tmp_path / "a.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "# a remark", *lines[2:]]))
    with pytest.raises(DataError, match=r"a\.csv"):
        of_arrays(path).sources()


def test_a_redshift_that_is_none_is_one_bad_spectrum(tmp_path):
    path = library.make_files(tmp_path / "a.csv")
    columns = library.labels() | {"FILE": np.array([f"spectra/{n}.fits" for n in range(4)])}
    library.write(path, columns | {"Z": np.array([0.5, 1e-4, np.nan, 0.0])})
    reader = of_files(path, columns=IN_FILES | {"z": "Z"})
    outcomes = dict(reader.spectra(reader.sources()))
    assert isinstance(outcomes["spectra/0.fits"], SpectrumError)
    assert outcomes["spectra/1.fits"].info.z == 1e-4
    assert outcomes["spectra/2.fits"].info.z == 0.0
