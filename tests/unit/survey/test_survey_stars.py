import pickle

import numpy as np
import pytest
import torch
from tests.unit.survey.readers import WAVE

from torchfit.spectra import Spectra, StarInfo
from torchfit.survey import packed_survey
from torchfit.survey.packed_survey import PackedSurvey
from torchfit.survey.shards import shard_table, star_row, write_shard
from torchfit.survey.survey_stars import SurveyStars

SIZES = (3, 4, 2)
NUMBER = np.array([7, 3, 5, 20, 11, 12, 13, 40, 41])


@pytest.fixture
def stars_of(tmp_path):
    """``stars_of(length)``: stars in three shards, with names of a length; one has a label more."""

    def make(length=4):
        paths, first = [], 0
        for place, size in enumerate(SIZES):
            labels = {"teff": 5000.0, **({"vsini": 3.0} if place == 1 else {})}
            rows = [
                star_row(int(number), StarInfo(f"{number}.fits", name="n" * length, labels=labels))
                for number in NUMBER[first : first + size]
            ]
            flux = torch.ones(size, len(WAVE), dtype=torch.float64)
            spectra = Spectra(torch.from_numpy(WAVE), flux, flux, torch.ones(size) > 0)
            paths.append(tmp_path / f"{length}-{place}")
            write_shard(paths[-1], shard_table(rows, spectra))
            first += size
        packed = PackedSurvey.of(paths, torch.from_numpy(WAVE))
        classes = np.array([*"FGKMFGKM", "OB"])
        count = np.arange(1, 10, dtype=np.int32)
        return SurveyStars(packed, NUMBER, count, classes, NUMBER % 2 == 0)

    return make


@pytest.mark.parametrize("place", [[0], [8, 0, 4, 4], range(9), range(8, -1, -1)])
@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_rows_are_those_asked_for_in_their_order(stars_of, place, at_once, monkeypatch):
    monkeypatch.setattr(packed_survey, "_ROWS", at_once)
    place = np.array(place)
    rows = stars_of().rows(place)
    assert rows["star"].tolist() == NUMBER[place].tolist()
    assert rows["source"].tolist() == [f"{number}.fits" for number in NUMBER[place]]
    assert rows["n_exposures"].tolist() == (place + 1).tolist()
    assert rows["n_exposures"].dtype == np.int64
    assert rows["spectral_class"].tolist() == [[*"FGKMFGKM", "OB"][each] for each in place]
    assert rows["in_library"].tolist() == (NUMBER[place] % 2 == 0).tolist()
    assert "checksum" not in rows


def test_a_label_of_some_files_is_missing_of_the_others(stars_of):
    vsini = stars_of().rows(np.arange(9))["vsini_lit"]
    assert vsini.notna().tolist() == [False] * 3 + [True] * 4 + [False] * 2


def test_pieces_are_the_stars_in_their_order(stars_of):
    pieces = list(stars_of().pieces(["star", "name"]))
    assert [list(piece) for piece in pieces] == [["star", "name"]] * 3
    assert np.concatenate([piece["star"] for piece in pieces]).tolist() == NUMBER.tolist()


def test_a_star_is_found_by_its_number(stars_of):
    assert stars_of().places(np.array([41, 3, 7])).tolist() == [8, 1, 0]


def test_what_another_process_is_sent_does_not_hold_what_the_files_say(stars_of):
    """Of ten million stars that would be gigabytes in every process."""
    sizes = [len(pickle.dumps(stars_of(length))) for length in (1, 9)]
    assert sizes[0] == sizes[1]
    assert len(stars_of()) == 9
