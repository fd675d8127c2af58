import os
import pickle
from copy import copy
from types import SimpleNamespace

import numpy as np
import pytest

from torchfit.surveys.kept_files import KeptFiles


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.fits"
    path.write_text("a")
    return path


def opened(n_pix):
    return "wcs1d-fits", [SimpleNamespace(flux=np.ones(n_pix))]


def test_what_is_kept_is_taken_once(path):
    kept = KeptFiles(10)
    first = opened(10)
    assert kept.keep(path, first) is first
    assert kept.left == 0
    assert kept.take(path) is first
    assert kept.left == 10
    assert kept.take(path) is None


def test_no_more_is_kept_than_there_is_room_for(path, tmp_path):
    other = tmp_path / "b.fits"
    other.write_text("b")
    kept = KeptFiles(10)
    kept.keep(path, opened(7))
    kept.keep(other, opened(4))
    assert kept.take(other) is None
    assert kept.take(path) is not None
    kept.keep(other, opened(4))
    assert kept.take(other) is not None


def test_a_file_that_has_changed_is_read_again(path):
    kept = KeptFiles(10)
    kept.keep(path, opened(3))
    os.utime(path, (1, 1))
    assert kept.take(path) is None
    kept.keep(path, opened(3))
    path.unlink()
    assert kept.take(path) is None
    assert kept.left == 10


@pytest.mark.parametrize("other", [copy, lambda kept: pickle.loads(pickle.dumps(kept))])
def test_another_process_begins_without_any(path, other):
    kept = KeptFiles(10)
    kept.keep(path, opened(3))
    assert other(kept).take(path) is None
    assert other(kept).left == 10
