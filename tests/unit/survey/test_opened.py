import resource
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from tests.unit.survey.readers import WAVE

from torchfit.spectra import Spectra, StarInfo
from torchfit.survey import opened as opening
from torchfit.survey.copies import copies
from torchfit.survey.joint import join_exposures
from torchfit.survey.opened import SPARED, opened, room
from torchfit.survey.packed_survey import PackedSurvey
from torchfit.survey.shards import shard_table, star_row, write_shard

N_SHARDS, LIMIT = 120, 90
"""Shards of two stars, and open files that are fewer."""


@contextmanager
def limit_of(number):
    """This process may have so many open files by itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    opening._opened.cache_clear()
    try:
        yield
    finally:
        opening._opened.cache_clear()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def paths(tmp_path):
    found = []
    for number in range(N_SHARDS):
        infos = [
            StarInfo(f"{number}-{n}.fits", name=f"star {number % 7}", mjd=number, checksum=n)
            for n in range(2)
        ]
        rows = [star_row(2 * number + n, info) for n, info in enumerate(infos)]
        flux = torch.full((2, len(WAVE)), 0.5 + number / 1000, dtype=torch.float64)
        found.append(tmp_path / f"shard-{number:05d}.arrow")
        spectra = Spectra(torch.from_numpy(WAVE), flux, flux, torch.ones(2) > 0)
        write_shard(found[-1], shard_table(rows, spectra))
    return found


def test_a_shard_stays_open_until_it_is_written_again(paths):
    first = opened(paths[0])
    assert opened(paths[0]) is first
    paths[1].replace(paths[0])
    assert opened(paths[0]).info()["star"].tolist() == [2, 3]


def test_the_limit_is_raised_where_it_may_be():
    with limit_of(SPARED):
        assert room(10) == 10
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == SPARED + 10


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_where_it_may_not_fewer_stay_open(monkeypatch, error):
    def refuse(*_):
        raise error

    with limit_of(SPARED + 5):
        with monkeypatch.context() as context:
            context.setattr(opening.resource, "setrlimit", refuse)
            assert room(10) == 5
        assert room(5) == 5


def test_a_survey_may_have_more_shards_than_files_may_be_open(paths, tmp_path, monkeypatch):
    """As one of a million stars has, where 1024 files may be open."""
    wave, star = torch.from_numpy(WAVE), np.arange(2 * N_SHARDS)[::-1].copy()
    monkeypatch.setattr(opening, "room", lambda: 8)
    monkeypatch.setattr("torchfit.survey.packed_survey._ROWS", 16)
    with limit_of(LIMIT):
        assert copies(paths) == []
        survey = PackedSurvey.of(paths, wave)
        flux = survey.spectra(star).flux
        assert survey.known(star)["star"].to_pylist() == star.tolist()
        pieces = list(survey.pieces(["name"]))
        joined = join_exposures(paths, wave, [], tmp_path)
    torch.testing.assert_close(
        flux[:, 0], 0.5 + torch.from_numpy(star // 2) / 1000, atol=1e-3, rtol=0
    )
    assert [len(piece) for piece in pieces] == [2] * N_SHARDS
    assert joined.count.tolist() == [2 * N_SHARDS // 7 + 2] + [2 * N_SHARDS // 7] * 6
