import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from tests.contract.reader_contract import ReaderContract
from tests.data.grid import make as grids

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.run.build import build
from torchfit.run.programs import conf_folder
from torchfit.spectra import Spectrum
from torchfit.surveys.grid import GridReader
from torchfit.surveys.grid_labels import GridLabels
from torchfit.surveys.label_pattern import LabelPattern
from torchfit.surveys.stated_resolution import StatedResolution

CARDS = GridLabels(cards={"teff": "TEFF", "logg": "LOG_G", "fe_h": "M_H"})
LAYOUTS = {
    "npz": (grids.npz, "grid", ["medium=vacuum"]),
    "phoenix": (grids.phoenix, "phoenix", []),
    "bosz": (grids.bosz, "bosz", []),
    "tlusty": (grids.tlusty, "tlusty", ["medium=air"]),
}


def reader_of(preset, root, *settings):
    """The reader of a preset of ``conf/library``."""
    given = [f"library.reader.{setting}" for setting in (f"root='{root}'", *settings)]
    with initialize_config_dir(str(conf_folder()), version_base=None):
        cfg = compose("train", [f"library={preset}", "output_dir=x", *given])
    return build(cfg.library.reader)


class TestContract(ReaderContract):
    @pytest.fixture(params=LAYOUTS)
    def reader(self, tmp_path, request):
        make, preset, settings = LAYOUTS[request.param]
        make(tmp_path)
        return reader_of(preset, tmp_path, *settings)


class TestContractOfManyInAFile(ReaderContract):
    @pytest.fixture
    def reader(self, tmp_path):
        grids.npz_of_many(tmp_path)
        cards = {"teff": "T", "logg": "G", "fe_h": "M"}
        return GridReader(str(tmp_path), "vacuum", labels=GridLabels(cards=cards))

    def test_each_has_its_labels(self, reader):
        labels = [reader.read(source).info.labels for source in reader.sources()]
        assert [each["teff"] for each in labels] == [5000, 5500, 6000]
        assert labels[2] == {"teff": 6000, "logg": 5.0, "fe_h": 0.5}


@pytest.mark.parametrize(
    ("layout", "labels"),
    [
        ("npz", [(5000, 4.5, -0.5), (5500, 4.5, -0.5)]),
        ("phoenix", [(5700, 4.5, 0.5, 0.2), (5700, 4.5, 0.0, 0.0)]),
        ("bosz", [(6000, 4.0, -0.5, 0.25), (5000, 4.5, 0.25, 0.0)]),
        ("tlusty", [(20000, 4.0, 0.0), (15000, 3.25, -0.301)]),
    ],
)
def test_names_tell_the_labels(tmp_path, layout, labels):
    make, preset, settings = LAYOUTS[layout]
    make(tmp_path)
    reader = reader_of(preset, tmp_path, *settings)
    found = [reader.read(source).info.labels for source in reader.sources()]
    names = ("teff", "logg", "fe_h", "alpha_fe")
    expected = [dict(zip(names, values, strict=False)) for values in labels]
    for one, wanted in zip(found, expected, strict=True):
        assert one == pytest.approx(wanted)


def test_names_of_bosz_round_steps_of_a_quarter():
    """[M/H] from -2.25 to 0.5 and [alpha/M] from -0.25 to 0.5, by the example of the archive."""
    names = reader_of("bosz", "x").labels.names
    for quarter in range(-9, 4):
        metals, alpha = quarter / 4, max(min(quarter / 4, 0.5), -0.25)
        words = [f"{'m' if x < 0 else 'p'}{int(abs(x) * 10 + 0.5):02d}" for x in (metals, alpha)]
        name = f"am{words[0]}cp00o{words[1]}t3500g45v20modrt0b50000rs.fits"
        found = names.labels_of(name)
        assert (found["fe_h"], found["alpha_fe"]) == pytest.approx((metals, alpha))
    assert names.labels_of("amm13cp00op00t3500g45v20modrt0b50000rs.fits")["fe_h"] == -1.25


def test_cards_tell_the_labels_whatever_the_axis(tmp_path):
    grids.images(tmp_path)
    (tmp_path / "README.txt").touch()
    labels = GridLabels(cards=CARDS.cards, fixed={"vsini": 0.0})
    reader = GridReader(str(tmp_path), "vacuum", "*.fits", labels)
    spectra = [reader.read(source) for source in reader.sources()]
    assert [each.info.labels["teff"] for each in spectra] == [5000, 5001]
    assert spectra[0].info.labels == {"teff": 5000, "logg": 4.5, "fe_h": -0.5, "vsini": 0.0}
    assert spectra[1].wave[0] == pytest.approx(4300) and spectra[1].wave[-1] == pytest.approx(5700)


def test_a_flux_per_frequency_becomes_one_per_wavelength(tmp_path):
    grids.tlusty(tmp_path)
    spectrum = reader_of("tlusty", tmp_path, "medium=air").read("BG20000g400v2.vis.7")
    far = np.abs(spectrum.wave - grids.H_BETA) > 60
    level = spectrum.flux[far] / np.median(spectrum.flux)
    np.testing.assert_allclose(level, 1.0, rtol=1e-4)


def test_wavelengths_that_are_not_wanted_are_left_out(tmp_path):
    grids.npz(tmp_path)
    reader = reader_of("grid", tmp_path, "medium=vacuum", "axes.range=[4800.0,4900.0]")
    wave = reader.read(reader.sources()[0]).wave
    assert (wave[0], wave[-1]) == (4800, 4900)


def test_the_resolution_is_that_of_the_models(tmp_path):
    reader = GridReader(
        str(tmp_path), "air", labels=CARDS, resolution=StatedResolution(resolving_power=5000.0)
    )
    assert reader.lsf_fwhm_at(torch.tensor([5000.0]).double()).item() == pytest.approx(1.0)
    assert GridReader(str(tmp_path), "air", labels=CARDS).lsf_fwhm_at(torch.ones(1)) is None


def test_what_makes_no_sense_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="use air or vacuum"):
        GridReader("x", "water", labels=CARDS)
    with pytest.raises(ConfigError, match="for labels"):
        GridReader("x", "air")
    with pytest.raises(ConfigError, match="no regular expression"):
        LabelPattern("t(?P<teff>")
    with pytest.raises(ConfigError, match="has no group"):
        LabelPattern(r"t\d+")
    (tmp_path / "README.txt").touch()
    with pytest.raises(DataError, match=r"no model spectrum below .* tell no labels: 1 \.txt"):
        named = GridLabels(LabelPattern("t(?P<teff>[0-9]+)"))
        GridReader(str(tmp_path), "air", labels=named).sources()


def test_models_without_wavelengths_and_files_that_are_none(tmp_path):
    grids.phoenix(tmp_path)
    reader = reader_of("phoenix", tmp_path, "axes.file=null")
    with pytest.raises(SpectrumError, match=r"library\.reader\.axes\.file=FILE"):
        reader.read(reader.sources()[0])
    (tmp_path / "t5000_g4.0_m0.0.npz").write_bytes(b"PK")
    (tmp_path / "t5000_g4.0_m-1.0.fits").write_bytes(b"SIMPLE")
    (tmp_path / "t5000_g4.0_m+1.0.txt").write_text("a b\n")
    reader = reader_of("grid", tmp_path, "medium=vacuum", "pattern=t*")
    outcomes = dict(reader.spectra(reader.sources()))
    assert len(outcomes) == 2
    for source, outcome in outcomes.items():
        assert isinstance(outcome, SpectrumError) and str(outcome).startswith(source)
        assert "\n" not in str(outcome)


def test_a_model_that_has_lost_its_wavelengths_takes_no_others_along(tmp_path):
    grids.tlusty(tmp_path)
    reader = reader_of("tlusty", tmp_path, "medium=air")
    spoilt, *others = reader.sources()
    (tmp_path / spoilt).write_text("1.0\n" * 50)
    outcomes = dict(reader.spectra(reader.sources()))
    assert isinstance(outcomes[spoilt], SpectrumError)
    assert spoilt in str(outcomes[spoilt])
    assert all(isinstance(outcomes[name], Spectrum) for name in others)
