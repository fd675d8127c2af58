import logging

import numpy as np
import pytest

from torchfit.exceptions import DataError, SpectrumError
from torchfit.library.build import build_library
from torchfit.library.cuts import LabelBox
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader

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
        build_library(reader, PREPROCESSOR, LabelBox(("teff",), {"teff": (5100.0, 5125.0)}))


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
    monkeypatch.setattr("torchfit.library.build._AT_ONCE", at_once)
    library = build_library(Stream(), PREPROCESSOR, CUTS)
    numbers = range(7, 60)
    assert library.labels[:, 0].tolist() == [5000.0 + 10 * number for number in numbers]
    assert library.star_names[1:] == tuple(f"HD {number}" for number in numbers)[1:]
    for star, number in enumerate(numbers):
        alone = PREPROCESSOR([Stream().read(f"s{number:02d}")])
        assert (library.spectra.flux[star] == alone.flux[0]).all()
