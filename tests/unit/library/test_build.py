import logging
from dataclasses import replace

import numpy as np
import pytest

from torchfit.exceptions import DataError, SpectrumError
from torchfit.library.build import build_library
from torchfit.library.cuts import LabelBox
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader
from torchfit.surveys.stated_resolution import StatedResolution

WAVE = np.arange(4000.0, 4100.0)
PREPROCESSOR = Preprocessor(4000.0, 4099.0, 1.0, dib_min_ew=None, median_window=11)
CUTS = LabelBox(("teff", "logg", "fe_h"), {"teff": (4000.0, 9000.0)})


class Reader(SurveyReader):
    """Fourteen stars: one unreadable, one too hot, one nearly all bad."""

    name, lsf_fwhm = "made", 2.5

    def sources(self):
        return [f"s{number:02d}" for number in range(14)]

    def read(self, source):
        number = int(source[1:])
        if number == 3:
            raise SpectrumError(f"{source}: no")
        labels = {"teff": 5000.0 + 10 * number, "logg": 4.0, "fe_h": 0.0}
        if number == 4:
            labels["teff"] = 20000.0
        ivar = np.ones(100)
        if number == 5:
            ivar[10:] = 0
        if number == 6:
            ivar[60:] = 0
        name = "" if number == 7 else f"HD {number}"
        return Spectrum(WAVE, WAVE / 4000, ivar, StarInfo(source, name=name, labels=labels))


@pytest.fixture
def reader():
    return Reader()


def test_unreadable_cut_and_mostly_bad_stars_are_left_out(reader, caplog):
    with caplog.at_level(logging.INFO, logger="torchfit"):
        library = build_library(reader, PREPROCESSOR, CUTS)
    kept = [number for number in range(14) if number not in (3, 4, 5)]
    assert library.labels[:, 0].tolist() == [5000.0 + 10 * number for number in kept]
    assert "s03: no" in caplog.text
    assert "1 unreadable, 1 outside" in caplog.text
    assert "logg is 4 in the whole library" in caplog.text
    assert "teff is" not in caplog.text


def test_a_star_without_a_name_takes_its_source(reader):
    names = build_library(reader, PREPROCESSOR, CUTS).star_names
    assert "s07" in names
    assert "HD 8" in names
    assert "" not in names


@pytest.mark.parametrize(("min_good", "kept"), [(0.0, 12), (0.5, 11), (0.7, 10)])
def test_min_good_is_the_least_share_of_good_pixels(reader, min_good, kept):
    assert len(build_library(reader, PREPROCESSOR, CUTS, min_good)) == kept


def test_resolution_and_origin_are_the_readers(reader):
    library = build_library(reader, PREPROCESSOR, CUTS)
    assert (library.lsf_fwhm == 2.5).all()
    assert library.provenance["library"] == "made"
    assert library.label_names == ("teff", "logg", "fe_h")


def test_too_few_stars_are_refused(reader):
    with pytest.raises(DataError, match="only 3 stars of made"):
        build_library(reader, PREPROCESSOR, LabelBox(CUTS.label_names, {"teff": (5100.0, 5125.0)}))


def test_a_library_must_state_its_resolution(reader):
    reader.lsf_fwhm = None
    with pytest.raises(DataError, match="resolution"):
        build_library(reader, PREPROCESSOR, CUTS)


class Stream(Reader):
    """The same stars and more of them, in an order of its own."""

    sequential = True

    def sources(self):
        return [f"s{number:02d}" for number in range(7, 60)]

    def spectra(self, sources):
        yield from super().spectra(sources[::-1])


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_an_archive_is_read_in_one_pass_and_sorted(monkeypatch, at_once):
    monkeypatch.setattr("torchfit.library.templates._AT_ONCE", at_once)
    library = build_library(Stream(), PREPROCESSOR, CUTS)
    numbers = range(7, 60)
    assert library.labels[:, 0].tolist() == [5000.0 + 10 * number for number in numbers]
    assert library.star_names[1:] == tuple(f"HD {number}" for number in numbers)[1:]
    for star, number in enumerate(numbers):
        alone = PREPROCESSOR([Stream().read(f"s{number:02d}")])
        assert (library.spectra.flux[star] == alone.flux[0]).all()


class Rotating(Reader):
    """The same stars, each with one label more."""

    def read(self, source):
        spectrum = super().read(source)
        labels = spectrum.info.labels | {"vsini": 10.0 * int(source[1:])}
        return replace(spectrum, info=replace(spectrum.info, labels=labels))


def test_a_label_of_ones_own_has_its_range_and_its_unit():
    cuts = LabelBox(("vsini", "teff", "logg", "fe_h"))
    labels = {"vsini": {"unit": "km/s", "range": [0, 120]}}
    library = build_library(Rotating(), PREPROCESSOR, cuts, labels=labels)
    assert library.label_names == ("teff", "logg", "fe_h", "vsini")
    assert library.label_names[3].unit == "km/s"
    assert library.labels[:, 3].max() == 120


class Sharp(Reader):
    """One line each, of a width that the reader states; very many pixels."""

    def __init__(self, fwhm):
        self.lsf_fwhm = fwhm

    def read(self, source):
        wave = np.arange(3990.0, 4110.0, 0.02)
        width = self.lsf_fwhm / 2.3548
        flux = 1 - 0.5 / width * np.exp(-0.5 * ((wave - 4050) / width) ** 2)
        info = super().read(f"s0{int(source[1:]) % 3}").info
        return Spectrum(wave, flux, np.ones_like(wave), replace(info, source=source), False)


def test_sharp_templates_are_convolved_to_the_resolution_wanted():
    wanted = build_library(Sharp(4.0), PREPROCESSOR, CUTS)
    found = build_library(Sharp(0.5), PREPROCESSOR, CUTS, resolution=StatedResolution(4.0))
    assert (found.lsf_fwhm == 4.0).all()
    np.testing.assert_allclose(found.spectra.flux[0], wanted.spectra.flux[0], atol=2e-3)
    as_read = build_library(Sharp(0.5), PREPROCESSOR, CUTS)
    assert (as_read.spectra.flux[0] - wanted.spectra.flux[0]).abs().max() > 0.1
    broad = build_library(Sharp(4.0), PREPROCESSOR, CUTS, resolution=StatedResolution(2.0))
    assert (broad.lsf_fwhm == 4.0).all()


class Failing(Reader):
    """The same stars and more, one of which no preprocessing survives."""

    def sources(self):
        return [f"s{number:02d}" for number in range(7, 60)]


class Fragile(Preprocessor):
    """Fails with one star, and makes no number of another's flux."""

    def __call__(self, spectra, extra_windows=(), lsf_fwhm=None):
        names = [spectrum.info.name for spectrum in spectra]
        if "HD 20" in names:
            raise ZeroDivisionError("of one star")
        made = super().__call__(spectra, extra_windows, lsf_fwhm)
        for row, name in enumerate(names):
            made.flux[row] *= float("inf") if name == "HD 30" else 1.0
        return made


def test_a_star_that_cannot_be_preprocessed_is_left_out_by_name(caplog):
    fragile = Fragile(4000.0, 4099.0, 1.0, dib_min_ew=None, median_window=11)
    library = build_library(Failing(), fragile, CUTS)
    kept = [number for number in range(7, 60) if number not in (20, 30)]
    assert library.labels[:, 0].tolist() == [5000.0 + 10 * number for number in kept]
    assert "s20: failed unexpectedly (ZeroDivisionError: of one star)" in caplog.text
    assert "s30: the normalised flux is not finite" in caplog.text
