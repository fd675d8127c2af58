import os

import numpy as np
import pytest
import torch
from tests.unit.survey.readers import WAVE, Fake

from torchfit.exceptions import OutputError
from torchfit.spectra import Spectrum, StarInfo
from torchfit.survey import piece as pieces
from torchfit.survey.pack import Packing
from torchfit.survey.shards import Shard

NOT_UTF8 = os.fsdecode(b"2:caf\xe9")


class Odd(Fake):
    """Spectra that are read, and are trouble afterwards."""

    def read(self, source):
        _, _, kind = source.partition(":")
        flux, info = 1 + 0.1 * np.sin(WAVE / 20), StarInfo(source)
        if kind == "huge obsid":
            info = StarInfo(source, obsid=2**70)
        elif kind == "no text":
            info = StarInfo(source, name=7)
        elif kind == "nul":
            info = StarInfo(source, name="a\0b", subclass="\udce9")
        elif kind == "bug":
            raise ZeroDivisionError("no one foresaw this")
        return Spectrum(WAVE, flux, np.ones(len(WAVE)), info)


@pytest.fixture
def pack(preprocessor, tmp_path):
    def run(reader, folder="shards", **settings):
        known = torch.ones(len(preprocessor.wave), dtype=torch.bool)
        return Packing(**settings).pack(reader, preprocessor, known, tmp_path / folder)

    return run


def sources_of(paths):
    return [source for path in paths for source in Shard(path).info()["source"]]


@pytest.mark.parametrize("workers", [0, 2])
def test_one_that_cannot_be_written_does_not_take_others_along(pack, workers):
    paths, rejects = pack(
        Odd("0:ok", "1:huge obsid", "2:bug", "3:no text", "4:ok"), workers=workers
    )
    assert sources_of(paths) == ["0:ok", "4:ok"]
    assert rejects["star"].tolist() == [1, 2, 3]
    assert (rejects["unexpected"] != "").all()
    assert rejects["unexpected"][1] == "ZeroDivisionError"
    assert rejects["reason"][1] == "failed unexpectedly (ZeroDivisionError: no one foresaw this)"


def test_the_others_are_written_as_without_it(pack):
    paths, _ = pack(Odd("0:ok", "1:huge obsid", "2:ok"), "with")
    alone, _ = pack(Odd("0:ok", "2:ok"), "without")
    for name in ("depth", "code", "low", "step"):
        one, other = (getattr(Shard(p[0]).coded([0, 1]), name) for p in (paths, alone))
        np.testing.assert_array_equal(one, other)


def test_names_that_are_not_utf8_go_into_the_shard_and_the_rejects(pack):
    paths, rejects = pack(Odd("0:ok", NOT_UTF8, "3:nul"))
    assert sources_of(paths) == ["0:ok", "2:caf\\udce9", "3:nul"]
    assert Shard(paths[0]).info()["name"].tolist()[2] == "a\\x00b"
    assert Shard(paths[0]).info()["subclass"].tolist()[2] == "\\udce9"
    _, rejects = pack(Fake("0:1", os.fsdecode(b"1\xe9:bad")), "bad")
    assert rejects["source"].tolist() == ["1\\udce9:bad"]
    assert rejects["reason"].tolist() == ["not good"]


def test_a_normalised_flux_that_is_not_finite_is_a_reject(pack, monkeypatch):
    original = pieces.Preprocessor.__call__

    def spoil(self, spectra, windows=(), lsf_fwhm=None):
        batch = original(self, spectra, windows, lsf_fwhm)
        batch.flux[0, 50] = torch.nan
        return batch

    monkeypatch.setattr(pieces.Preprocessor, "__call__", spoil)
    paths, rejects = pack(Odd("0:ok", "1:ok"))
    assert sources_of(paths) == ["1:ok"]
    assert rejects["reason"].tolist() == ["the normalised flux is not finite"]
    assert rejects["unexpected"].tolist() == [""]


def test_a_full_disk_is_no_trouble_of_a_spectrum(pack, monkeypatch):
    def full(path, table):
        raise OutputError("no room")

    monkeypatch.setattr(pieces, "write_shard", full)
    with pytest.raises(OutputError, match="no room"):
        pack(Odd("0:ok"))
