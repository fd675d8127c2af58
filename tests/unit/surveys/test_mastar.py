import gzip
import logging
import resource
import subprocess
import sys

import numpy as np
import pytest
from tests.contract.reader_contract import ReaderContract
from tests.data.mastar import make as files

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.mock import mastar_files
from torchfit.spectra import Spectrum
from torchfit.surveys.mastar import MastarReader
from torchfit.surveys.mastar_visits import MastarRecipe

ALL = MastarRecipe(visits="all", min_snr=0.0, reject=())
SPECTRA = "mastar-goodspec-v3_1_1-v1_7_7.fits.gz"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(files.make(tmp_path_factory.mktemp("mastar")))


@pytest.fixture
def own(tmp_path):
    """A copy to spoil."""
    return files.make(tmp_path / "own")


def visit_of(spectrum):
    """Number of the visit, from its night."""
    return spectrum.info.mjd - 57000


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, root):
        return MastarReader(root)


class TestContractOfAllVisits(ReaderContract):
    @pytest.fixture(scope="class")
    def reader(self, root):
        return MastarReader(root, recipe=ALL)


def test_spectra_and_labels_of_a_visit_belong_together(root):
    """Every file has its rows in another order."""
    labels = files.visits().labels
    reader = MastarReader(root, recipe=ALL)
    outcomes = dict(reader.spectra(reader.sources()))
    assert sorted(outcomes) == reader.sources()
    for source, spectrum in outcomes.items():
        visit = visit_of(spectrum)
        assert source.startswith(f"{files.STARS[visit % 6]}:7443:")
        assert spectrum.info.name == files.STARS[visit % 6]
        assert spectrum.flux[0] == pytest.approx(visit + 1)
        if visit not in (5, 6):
            np.testing.assert_allclose(list(spectrum.info.labels.values()), labels[visit], 1e-6)


def test_wavelengths_errors_and_resolution(root):
    spectrum = MastarReader(root).read(MastarReader(root).sources()[0])
    np.testing.assert_allclose(spectrum.wave, mastar_files.WAVE, rtol=1e-12)
    bad = [*range(100, 150), *range(4500, 4510)]
    np.testing.assert_array_equal(np.flatnonzero(spectrum.ivar == 0), bad)
    assert spectrum.ivar[0] == 0.25
    assert spectrum.has_ivar
    np.testing.assert_allclose(spectrum.lsf_sigma, 1.2e-4 * np.log(10) * spectrum.wave, rtol=1e-6)
    assert spectrum.info.z == 0


def test_best_visits_are_those_with_labels_and_then_of_the_highest_ratio(root):
    """The last visit of each star has the highest ratio; one bit and one low ratio fall out."""
    reader = MastarReader(root)
    assert sorted(visit_of(s) for _, s in reader.spectra(reader.sources())) == list(range(18, 24))


def test_labels_count_more_than_the_ratio(tmp_path, monkeypatch):
    table = files.visits(12)
    table.s2n[5] = 1000.0
    mastar_files.write_mastar(tmp_path, table, files.pixels)
    reader = MastarReader(str(tmp_path))
    (source,) = [s for s in reader.sources() if s.startswith("27-5:")]
    assert visit_of(reader.read(source)) == 11


@pytest.mark.parametrize(
    ("recipe", "left_out"),
    [
        (ALL, []),
        (MastarRecipe("all", 20.0, ()), [9]),
        (MastarRecipe("all"), [8, 9]),
        (MastarRecipe("all", 0.0, ("EMLINE", "HIGHSCAT")), [8, 10]),
        (MastarRecipe("all", 70.0, ()), range(21)),
    ],
)
def test_recipes(root, recipe, left_out):
    reader = MastarReader(root, recipe=recipe)
    found = {visit_of(spectrum) for _, spectrum in reader.spectra(reader.sources())}
    assert found == set(range(24)) - set(left_out)


def test_no_visit_left_is_an_error(root):
    with pytest.raises(DataError, match="no visit of MaStar passes the recipe"):
        MastarReader(root, recipe=MastarRecipe(min_snr=1e6)).sources()


def info_of(reader, visit):
    (source,) = [s for s in reader.sources() if s.endswith(f":{57000 + visit}")]
    return reader.read(source).info


def test_labels_that_are_not_valid_are_absent(root):
    reader = MastarReader(root, recipe=ALL)
    assert info_of(reader, 5).labels == {}
    assert set(info_of(reader, 6).labels) == {"teff", "logg", "fe_h"}
    assert set(info_of(reader, 4).labels) == {"teff", "logg", "fe_h", "alpha_fe"}


def test_gravities_of_imig(root):
    reader = MastarReader(root, recipe=ALL, logg_source="JI")
    assert info_of(reader, 4).labels["logg"] == pytest.approx(1.4 + 0.5)
    assert set(info_of(reader, 7).labels) == {"teff", "fe_h", "alpha_fe"}


@pytest.mark.parametrize("labels", ["median", "JI", "DL", "LH", "YC"])
def test_label_sets(root, labels):
    info = info_of(MastarReader(root, labels=labels, recipe=ALL), 4)
    assert info.labels["teff"] == 4200
    assert info.labels["logg"] == pytest.approx(1.9 if labels == "JI" else 1.4)


@pytest.mark.parametrize("parameters", ["goodvisits-v1", "goodstars-v1"])
def test_version_one(tmp_path, parameters):
    reader = MastarReader(str(files.make(tmp_path, version="v1")), parameters, recipe=ALL)
    assert set(info_of(reader, 4).labels) == {"teff", "logg", "fe_h", "alpha_fe"}


def test_labels_of_stars(root):
    """All visits of a star then have one set of labels."""
    reader = MastarReader(root, "goodstars-v2", recipe=ALL)
    assert info_of(reader, 3).labels == info_of(reader, 9).labels
    assert info_of(reader, 3).labels["teff"] == 4150


def test_the_names_of_the_positions_before_release_17(tmp_path, root):
    old = MastarReader(str(files.make(tmp_path, objra=True)))
    new = MastarReader(root)
    source = old.sources()[0]
    assert old.read(source).info.ra == new.read(source).info.ra > 0


def test_an_unpacked_copy_and_the_other_name_of_the_spectra_will_do(own):
    packed = own / SPECTRA
    other = own / "mastar-goodspec-v3_1_1-v1_7_7-goodvisits.fits"
    other.write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert isinstance(next(MastarReader(str(own)).spectra(["x"]))[1], SpectrumError)
    assert len(list(MastarReader(str(own)).spectra(MastarReader(str(own)).sources()))) == 6


def test_what_was_found_is_said(root, caplog):
    reader = MastarReader(root)
    with caplog.at_level(logging.INFO):
        list(reader.spectra(reader.sources()))
    said = caplog.text
    assert "table GOODSPEC, 4563 pixels, WAVE >f8, MASK >i4; 6 rows read, 0 with another" in said
    assert "mask bits 10; PREDISP is there" in said
    assert "24 visits of 6 stars" in said
    assert "values that mark a missing label: -999" in said


def test_a_source_that_is_none(root):
    outcomes = dict(MastarReader(root).spectra(["4-1:1:1:1"]))
    assert "no such visit" in str(outcomes["4-1:1:1:1"])


def spoil(path, old, new):
    raw = path.read_bytes()
    packed = raw.startswith(b"\x1f\x8b")
    raw = (gzip.decompress(raw) if packed else raw).replace(old, new)
    path.write_bytes(gzip.compress(raw, 1) if packed else raw)


def test_a_visit_without_a_spectrum_is_one_bad_spectrum(own):
    spoil(own / SPECTRA, b"4-1 ", b"4-2 ")
    reader = MastarReader(str(own))
    outcomes = dict(reader.spectra(reader.sources()))
    (lost,) = [o for o in outcomes.values() if isinstance(o, SpectrumError)]
    assert "4-1:" in str(lost) and "no such row in" in str(lost)
    assert sum(isinstance(outcome, Spectrum) for outcome in outcomes.values()) == 5


def test_a_spectrum_that_stands_twice(own):
    """Visits 0 and 6 are of one star; one gets the other's night."""
    first, second = (np.array(57000 + visit, ">i4").tobytes() for visit in (12, 18))
    spoil(own / SPECTRA, first, second)
    reader = MastarReader(str(own))
    with pytest.raises(DataError, match="stands twice"):
        list(reader.spectra(reader.sources()))


@pytest.mark.parametrize("name", ["mastarall", "mastar-goodvisits", "mastar-goodspec"])
@pytest.mark.parametrize(
    ("old", "new"), [(b"'MJD     '", b"'NIGHT   '"), (b"= 'MANGAID '", b"= 'NOT_ID  '")]
)
def test_a_missing_column_is_named_with_those_found(own, name, old, new):
    (path,) = own.glob(f"{name}-v3*")
    spoil(path, old, new)
    reader = MastarReader(str(own))
    column = old.decode().strip("=' ")
    with pytest.raises(DataError, match=rf"no column {column}; the table has .*IFUDESIGN"):
        list(reader.spectra(reader.sources()))


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_truncated_archive(own, share):
    path = own / SPECTRA
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    reader = MastarReader(str(own))
    with pytest.raises(DataError, match="damaged or cut short"):
        list(reader.spectra(reader.sources()))


@pytest.mark.parametrize("name", ["mastarall", "mastar-goodvisits"])
def test_a_key_that_stands_twice(own, name):
    (path,) = own.glob(f"{name}-v3*")
    spoil(path, np.array(57006, ">i4").tobytes(), np.array(57000, ">i4").tobytes())
    with pytest.raises(DataError, match=r"1 keys stand twice, 3-15080992:7443:\d+:57000 the first"):
        MastarReader(str(own)).sources()


def test_parameters_of_other_visits(own):
    (path,) = own.glob("mastar-goodvisits-*")
    for star in files.STARS:
        spoil(path, f"{star} ".encode(), f"X{star[1:]} ".encode())
    with pytest.raises(DataError, match="no MANGAID, PLATE, IFUDESIGN, MJD in common"):
        MastarReader(str(own)).sources()


def test_missing_files_are_named_with_size_and_place(tmp_path):
    with pytest.raises(DataError) as caught:
        MastarReader(str(tmp_path)).sources()
    text = str(caught.value)
    base = "https://data.sdss.org/sas/dr17/manga/spectro/mastar/v3_1_1/v1_7_7/"
    assert f"{SPECTRA} (about 5 GB) from {base}{SPECTRA}" in text
    assert f"{base}vac/parameters/v2/mastar-goodvisits-v3_1_1-v1_7_7-params-v2.fits" in text
    assert f"{base}mastarall-v3_1_1-v1_7_7.fits" in text
    assert "library.reader.download=true" in text


@pytest.mark.parametrize(
    "settings",
    [{"labels": "best"}, {"logg_source": "median"}, {"parameters": "v2"}],
    ids=lambda settings: next(iter(settings)),
)
def test_unknown_choices(settings):
    with pytest.raises(ConfigError, match="must be one of"):
        MastarReader("somewhere", **settings)


@pytest.mark.parametrize("settings", [{"visits": "first"}, {"reject": ["UGLY"]}])
def test_unknown_recipes(settings):
    with pytest.raises(ConfigError, match=r"best or all|no such MJDQUAL bit: UGLY; the bits are"):
        MastarRecipe(**settings)


PEAK = """
import resource, sys
from torchfit.surveys.mastar import MastarReader
from torchfit.surveys.mastar_visits import MastarRecipe
reader = MastarReader(sys.argv[1], recipe=MastarRecipe("all", 0.0, ()))
sources = reader.sources()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n_read = sum(1 for _ in reader.spectra(sources))
print(n_read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is that of Linux")
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    """Of 150 MB of spectra a sixth is in memory, and no more than for a quarter of them."""
    assert resource.RUSAGE_SELF == 0
    growth = []
    for n_visits in (300, 1200):
        folder = tmp_path / str(n_visits)
        mastar_files.write_mastar(folder, files.visits(n_visits), files.pixels)
        ended = subprocess.run(
            [sys.executable, "-c", PEAK, str(folder)], capture_output=True, text=True, check=True
        )
        n_read, kilobytes = map(int, ended.stdout.split())
        assert n_read == n_visits
        growth.append(kilobytes / 1024)
    assert growth[1] < 25
    assert growth[1] < growth[0] + 8
