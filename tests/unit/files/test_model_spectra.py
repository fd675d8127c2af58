from dataclasses import replace

import numpy as np
import pytest
from tests.unit.files.models import WAVE, assert_same, made_models

from torchfit.exceptions import DataError
from torchfit.files.model_spectra import ModelSpectra


def test_stars_are_chosen_by_their_places():
    whole = made_models(4)
    assert len(whole) == 4
    assert_same(whole[2], made_models(4)[2:3])
    assert whole[2].source == [whole.source[2]]
    assert whole[np.array([3, 0])].star.tolist() == [9, 0]


def test_parts_joined_are_the_whole():
    whole = made_models(5)
    joined = ModelSpectra.join([whole[:2], whole[2:]])
    assert_same(joined, whole)
    assert joined.source == list(whole.source)


def test_parts_of_different_grids_are_not_joined():
    with pytest.raises(DataError, match="different grids"):
        ModelSpectra.join([made_models(1), replace(made_models(1), wave=WAVE + 1)])
