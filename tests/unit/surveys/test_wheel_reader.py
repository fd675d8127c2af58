import zipfile

import numpy as np
import pytest

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.fetch import Wheel
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.wheel_reader import WheelReader


class Letters(WheelReader):
    """A library whose flux is the one byte of the member."""

    name = "letters"
    lsf_fwhm = None
    wheel = Wheel("letters", "1", "0")
    prefix = "letters/"

    def parse(self, raw, source):
        one = np.ones(2)
        return Spectrum(np.arange(2.0), one * ord(raw), one, StarInfo(source))


@pytest.fixture
def fetches(tmp_path, monkeypatch):
    path = tmp_path / Letters.wheel.filename
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("letters/b.fits", b"B")
        wheel.writestr("letters/a.fits", b"A")
        wheel.writestr("letters/README", b"no")
        wheel.writestr("letters-1.dist-info/LICENSE", b"as you like")
    calls = []

    def fetch(wheel, cache):
        calls.append(cache)
        return path

    monkeypatch.setattr("torchfit.surveys.wheel_reader.fetch_wheel", fetch)
    return calls


def test_sources_name_the_archive_and_the_member(fetches):
    prefix = "letters-1-py3-none-any.whl:letters/"
    assert Letters().sources() == [f"{prefix}a.fits", f"{prefix}b.fits"]


def test_the_wheel_is_fetched_at_the_first_use_and_once(fetches, tmp_path):
    reader = Letters(str(tmp_path))
    assert fetches == []
    assert [reader.read(source).flux[0] for source in reader.sources()] == [ord("A"), ord("B")]
    assert fetches == [tmp_path]


def test_no_cache_means_the_default(fetches):
    Letters().sources()
    assert fetches == [None]


@pytest.mark.parametrize("source", ["a.fits", "other.whl:letters/a.fits", "", "letters/README"])
def test_other_sources_are_no_spectra(fetches, source):
    with pytest.raises(SpectrumError, match="no such spectrum of letters"):
        Letters().read(source)


def test_an_archive_without_spectra(fetches, monkeypatch):
    monkeypatch.setattr(Letters, "prefix", "digits/")
    with pytest.raises(DataError, match="no spectrum of letters"):
        Letters().sources()


def test_provenance_has_the_licence(fetches):
    assert Letters().provenance() == {
        "reader": "letters",
        "package": "letters",
        "version": "1",
        "sha256": "0",
        "licence": "as you like",
    }
