import numpy as np
import pytest
import torch

from torchfit.data.pack import Packing
from torchfit.data.shards import Shard
from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.io.reader import SurveyReader
from torchfit.spectra import Spectrum, StarInfo

WAVE = np.arange(3950.0, 4450.0)


class Fake(SurveyReader):
    """A source is ``number:share``: that share of the pixels is good; ``number:bad`` is refused."""

    name = "fake"
    lsf_fwhm = None

    def __init__(self, *sources):
        self.given = list(sources)
        self.read_sources = []

    def sources(self):
        return self.given

    def read(self, source):
        self.read_sources.append(source)
        share = source.partition(":")[2]
        if share == "bad":
            raise SpectrumError(f"{source}: not good")
        good = np.arange(len(WAVE)) < float(share) * len(WAVE)
        flux = 1 + 0.1 * np.sin(WAVE / 20)
        return Spectrum(WAVE, flux, good.astype(float), StarInfo(source))


@pytest.fixture
def pack(preprocessor, tmp_path):
    def run(reader, folder="shards", known=None, **settings):
        known = torch.ones(len(preprocessor.wave), dtype=torch.bool) if known is None else known
        return Packing(**settings).pack(reader, preprocessor, known, tmp_path / folder)

    return run


def stars_of(paths):
    return [star for path in paths for star in Shard(path).info()["star"]]


def test_every_source_is_a_star_or_a_reject(pack):
    reader = Fake("0:1", "1:bad", "2:1", "3:0.1", "4:1")
    paths, rejects = pack(reader, min_good=0.5)
    assert stars_of(paths) == [0, 2, 4]
    assert list(rejects["star"]) == [1, 3]
    assert list(rejects["source"]) == ["1:bad", "3:0.1"]
    assert rejects["reason"][0] == "1:bad: not good"
    assert "too few of the emulator's pixels are good" in rejects["reason"][1]


def test_what_counts_are_the_pixels_that_the_emulator_knows(pack, preprocessor):
    reader = Fake("0:0.5", "1:1")
    known = preprocessor.wave < 4100
    assert stars_of(pack(reader, "red", known=~known, min_good=0.9)[0]) == [1]
    assert stars_of(pack(reader, "blue", known=known, min_good=0.9)[0]) == [0, 1]


@pytest.mark.parametrize("shard_size", [1, 2, 5, 100])
def test_stars_keep_their_numbers_whatever_the_shards(pack, shard_size):
    reader = Fake("0:1", "1:bad", "2:1", "3:1", "4:bad", "5:1")
    paths, rejects = pack(reader, shard_size=shard_size)
    assert stars_of(paths) == [0, 2, 3, 5]
    assert list(rejects["star"]) == [1, 4]


def test_a_piece_without_a_usable_star_makes_no_shard(pack):
    paths, rejects = pack(Fake("0:bad", "1:bad", "2:1"), shard_size=2)
    assert stars_of(paths) == [2]
    assert [path.name for path in paths] == ["shard-00001.arrow"]
    assert len(rejects) == 2


def test_a_finished_shard_is_not_read_again(pack):
    first, again = Fake("0:1", "1:bad", "2:1"), Fake("0:1", "1:bad", "2:1")
    paths, rejects = pack(first, shard_size=2)
    before = [path.read_bytes() for path in paths]
    paths, rejects_again = pack(again, shard_size=2)
    assert again.read_sources == []
    assert [path.read_bytes() for path in paths] == before
    assert rejects_again.equals(rejects)


def test_a_shard_without_its_rejects_is_not_finished(pack, tmp_path):
    reader = Fake("0:1", "1:bad", "2:1")
    paths, _ = pack(reader, shard_size=2)
    (tmp_path / "shards" / "rejects-00000.jsonl").unlink()
    paths[0].write_bytes(b"half")
    again = Fake("0:1", "1:bad", "2:1")
    paths, rejects = pack(again, shard_size=2)
    assert again.read_sources == ["0:1", "1:bad"]
    assert stars_of(paths) == [0, 2]
    assert len(rejects) == 1


def test_no_usable_spectrum_at_all_is_an_error(pack):
    with pytest.raises(DataError, match="all 2 are rejected; the first: 0:bad: not good"):
        pack(Fake("0:bad", "1:bad"))


def test_no_reject_is_an_empty_table(pack):
    _, rejects = pack(Fake("0:1"))
    assert list(rejects.columns) == ["star", "source", "reason"]
    assert len(rejects) == 0


def test_windows_of_the_survey_are_masked(pack, preprocessor):
    paths, _ = pack(Fake("0:1"), windows=[[4100.0, 4120.0]])
    good = Shard(paths[0]).spectra(preprocessor.wave, [0]).good[0]
    inside = (preprocessor.wave >= 4101) & (preprocessor.wave <= 4119)
    assert not good[inside].any()
    assert good[preprocessor.wave < 4098].all()


@pytest.mark.parametrize("settings", [{"min_good": -0.1}, {"min_good": 1.1}, {"shard_size": 0}])
def test_impossible_settings(settings):
    with pytest.raises(ConfigError, match="pack: min_good"):
        Packing(**settings)
