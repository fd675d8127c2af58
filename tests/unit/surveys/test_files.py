import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from tests.contract.reader_contract import ReaderContract
from tests.data.files import make as files
from tests.data.lamost.make import make as make_lamost

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.surveys import files as files_module
from torchfit.surveys.files import FilesReader
from torchfit.surveys.medium import vacuum_to_air


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, tmp_path):
        files.make(tmp_path / "a.fits")
        files.make(tmp_path / "b" / "nm.fits", "nm", "W / (m2 um)")
        files.make(tmp_path / "frequency.fits", "THz", "Jy")
        files.make(tmp_path / "table.ecsv", "AA", "erg / (s cm2 AA)")
        files.make(tmp_path / "wcs1d.fits")
        files.make_several(tmp_path / "night.fits")
        make_lamost(tmp_path / "spec-56591-x.fits.gz")
        return FilesReader(str(tmp_path), medium="vacuum")

    def test_a_file_of_several_spectra_has_several_sources(self, reader):
        sources = reader.sources()
        assert [source for source in sources if source.startswith("night")] == [
            f"night.fits:000{row}" for row in range(3)
        ]
        assert len(sources) == 9
        assert reader.file_of("night.fits:0002") == reader.folder / "night.fits"

    def test_each_file_is_read_once(self, reader, monkeypatch):
        """To count its spectra, which are then there; as a survey is packed in one process."""
        opened = []

        def read_file(path, format):
            opened.append(path.name)
            return original(path, format)

        original = files_module.read_file
        monkeypatch.setattr(files_module, "read_file", read_file)
        sources = reader.sources()
        found = dict(reader.part(sources).spectra(sources))
        assert len(found) == 9
        assert sorted(opened) == sorted(path.name for path in reader.folder.rglob("*.*"))
        again = reader.read("night.fits:0002")
        np.testing.assert_array_equal(again.flux, found["night.fits:0002"].flux)

    def test_formats_and_units_agree(self, reader):
        plain, other = reader.read("a.fits"), reader.read("b/nm.fits")
        np.testing.assert_allclose(other.wave, plain.wave, rtol=1e-12)
        np.testing.assert_allclose(other.flux, plain.flux, rtol=1e-12)
        np.testing.assert_allclose(other.ivar, plain.ivar, rtol=1e-12)


@pytest.fixture
def read(tmp_path):
    def read(name="x.fits", *arguments, **settings):
        files.make(tmp_path / name, *arguments)
        return FilesReader(str(tmp_path), **({"medium": "vacuum"} | settings)).read(name)

    return read


def test_what_is_known_of_a_plain_image(read):
    spectrum = read("wcs1d.fits")
    assert (spectrum.info.name, spectrum.info.ra, spectrum.info.mjd) == ("my star", 10.5, 57000)
    assert not spectrum.has_ivar and spectrum.info.snr == {}


def test_errors_give_the_ratio_by_band_and_bad_pixels_are_masked(read):
    spectrum = read()
    assert spectrum.has_ivar and set(spectrum.ivar) == {0.0, 4.0}
    assert np.flatnonzero(spectrum.ivar == 0).tolist() == [files.BAD]
    assert spectrum.info.snr["g"] == pytest.approx(60, rel=0.01)


def test_without_errors_the_fit_estimates_the_noise(read):
    spectrum = read("x.fits", "AA", files.FLAM, False)
    assert not spectrum.has_ivar and set(spectrum.ivar) == {0.0, 1.0}


def test_air_is_converted_and_nothing_is_assumed(read, tmp_path):
    vacuum = read()
    air = FilesReader(str(tmp_path), medium="air").read("x.fits")
    np.testing.assert_allclose(vacuum_to_air(air.wave), vacuum.wave, rtol=1e-8)
    with pytest.raises(SpectrumError, match=r"x\.fits: .*data\.medium=air"):
        FilesReader(str(tmp_path)).read("x.fits")


def test_a_format_that_defines_its_medium_needs_no_word(tmp_path):
    make_lamost(tmp_path / "spec-1.fits")
    stated, silent = (
        FilesReader(str(tmp_path), medium=m).read("spec-1.fits") for m in ("air", None)
    )
    np.testing.assert_array_equal(stated.wave, silent.wave)


def test_redshift_and_resolution_of_all(read):
    spectrum = read(z=1e-4, lsf_fwhm=2.355)
    assert spectrum.info.z == 1e-4
    assert spectrum.lsf_sigma == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("wcs1d.fits", ("AA", "K"), "flux in K"),
        ("wcs1d.fits", ("AA", "mag"), "flux in mag"),
        ("x.fits", ("AA", "K"), "cannot be read"),
    ],
)
def test_unknown_units_are_a_reject(read, name, arguments, reason):
    with pytest.raises(SpectrumError, match=f"{name}: .*{reason}"):
        read(name, *arguments)


@pytest.mark.parametrize(
    "cards",
    [
        {"CTYPE1": "LINEAR", "DC-FLAG": 1, "WAT1_001": "wtype=linear units=Angstroms"},
        {"DC-FLAG": 1, "CUNIT1": "Angstrom"},
        {"CTYPE1": "LINEAR", "WFITTYPE": "LOG-LINEAR"},
        {"CTYPE1": "LOG-LAMBDA"},
    ],
)
def test_logarithms_of_wavelengths_that_iraf_has(tmp_path, cards):
    first, step = 3.6, 1e-4
    flux = np.linspace(1, 2, 2000)
    header = fits.Header(cards | {"CRVAL1": first, "CDELT1": step, "CRPIX1": 1.0})
    fits.PrimaryHDU(flux, header).writeto(tmp_path / "x.fits")
    spectrum = FilesReader(str(tmp_path), medium="vacuum").read("x.fits")
    np.testing.assert_allclose(spectrum.wave, 10 ** (first + step * np.arange(2000)), rtol=1e-9)
    np.testing.assert_allclose(spectrum.flux, flux)


def test_an_axis_that_specutils_converts_is_not_converted_again(tmp_path):
    cards = {"CTYPE1": "WAVE-LOG", "CUNIT1": "Angstrom", "CRVAL1": 4000.0, "CDELT1": 1.0}
    fits.PrimaryHDU(np.ones(999), fits.Header(cards | {"CRPIX1": 1.0, "DC-FLAG": 1})).writeto(
        tmp_path / "x.fits"
    )
    wave = FilesReader(str(tmp_path), medium="vacuum").read("x.fits").wave
    np.testing.assert_allclose(wave, 4000 * np.exp(np.arange(999) / 4000), rtol=1e-9)


@pytest.mark.parametrize("sentinel", [0.0, -1.0, np.nan, np.inf])
def test_an_error_that_is_none_marks_a_bad_pixel(tmp_path, sentinel):
    """Its square would be a weight above that of all others where fluxes are counts."""
    error = np.full(999, 50.0)
    error[7] = sentinel
    Table(
        {"wavelength": np.arange(4000.0, 4999.0), "flux": np.full(999, 5e3), "error": error},
        units={"wavelength": "AA", "flux": "ct", "error": "ct"},
    ).write(tmp_path / "x.ecsv", format="ascii.ecsv")
    spectrum = FilesReader(str(tmp_path), medium="vacuum").read("x.ecsv")
    assert spectrum.has_ivar and np.flatnonzero(spectrum.ivar == 0).tolist() == [7]


def test_magnitudes_are_a_reject(tmp_path):
    Table(
        {"wavelength": np.arange(4000.0, 4999.0), "flux": np.full(999, 15.0)},
        units={"wavelength": "AA", "flux": "mag(AB)"},
    ).write(tmp_path / "x.ecsv", format="ascii.ecsv")
    reader = FilesReader(str(tmp_path), medium="vacuum")
    ((_, outcome),) = reader.spectra(reader.sources())
    assert type(outcome) is SpectrumError
    assert str(outcome).startswith("x.ecsv: cannot be read (") and "MagUnit" in str(outcome)


def test_an_axis_of_velocities_is_a_reject(tmp_path):
    cards = {"CTYPE1": "VELO", "CUNIT1": "km/s", "CRVAL1": 1.0, "CDELT1": 1.0, "CRPIX1": 1.0}
    fits.PrimaryHDU(np.ones(99), fits.Header(cards)).writeto(tmp_path / "x.fits")
    reader = FilesReader(str(tmp_path), medium="vacuum")
    ((_, outcome),) = reader.spectra(reader.sources())
    assert type(outcome) is SpectrumError
    assert str(outcome) == "x.fits: wave in m / s does not convert to Angstrom"


@pytest.mark.parametrize("content", [b"", b"no spectrum", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_a_format_nobody_reads_is_a_reject(tmp_path, content):
    (tmp_path / "picture.png").write_bytes(content)
    files.make(tmp_path / "x.fits")
    reader = FilesReader(str(tmp_path), medium="air")
    outcomes = dict(reader.spectra(reader.sources()))
    assert isinstance(outcomes["picture.png"], SpectrumError)
    assert str(outcomes["picture.png"]).startswith("picture.png: cannot be read")
    assert str(outcomes["picture.png"]).endswith("); name its format")
    assert "available formats" not in str(outcomes["picture.png"])
    assert not isinstance(outcomes["x.fits"], SpectrumError)


def test_a_format_is_taken_at_its_word(read):
    with pytest.raises(SpectrumError, match=r"x\.fits: .*is it no file of format APOGEE apStar\?"):
        read(format="APOGEE apStar")


@pytest.mark.parametrize("format", [None, "tabular-fits"])
def test_a_file_that_is_cut_short_is_said_to_be_that(tmp_path, format):
    path = files.make(tmp_path / "x.fits")
    path.write_bytes(path.read_bytes()[: -2 * 2880])
    reader = FilesReader(str(tmp_path), format=format, medium="air")
    ((_, outcome),) = reader.spectra(reader.sources())
    assert str(outcome).startswith("x.fits: it is cut short"), outcome


@pytest.mark.parametrize("wrong", [{"medium": "water"}, {"lsf_fwhm": 0.0}, {"lsf_fwhm": -1.0}])
def test_settings_that_make_no_sense_are_one_line(wrong):
    with pytest.raises(ConfigError, match=f"data.{next(iter(wrong))}="):
        FilesReader("folder", **wrong)


def test_an_empty_folder_is_one_line(tmp_path):
    with pytest.raises(DataError, match="no file below"):
        FilesReader(str(tmp_path)).sources()
