"""A short part of ``python benchmarks/faults.py``: damaged files, packed or trained on."""

import os
import sys

import pytest
import torch
from tests.integration.running import ROOT

from torchfit.mock.faults import SoundFiles
from torchfit.preprocess.compose import Preprocessor
from torchfit.survey.pack import Packing
from torchfit.survey.shards import Shard
from torchfit.surveys.lamost import LamostReader

sys.path.append(str(ROOT / "benchmarks"))

from fault_layouts import LAYOUTS
from faults_readers import read_case

pytestmark = pytest.mark.slow
N_FILES = 400
SEED = 20
N_OF_A_LAYOUT = 3


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Stars and rejects of a folder of damaged files, with what a file system adds."""
    root = tmp_path_factory.mktemp("damaged")
    sound = SoundFiles(2)
    for number in range(N_FILES):
        raw, _, _ = sound.damaged(number, SEED)
        (root / f"{number:05d}.fits").write_bytes(raw)
    os.mkfifo(root / "pipe.fits")
    os.symlink(root / "loop_b.fits", root / "loop_a.fits")
    os.symlink(root / "loop_a.fits", root / "loop_b.fits")
    (root / os.fsdecode(b"caf\xe9.fits.gz")).write_bytes(sound.files["table"][0])
    reader, preprocessor = LamostReader(str(root)), Preprocessor()
    known = torch.ones(len(preprocessor.wave), dtype=torch.bool)
    settings = Packing(shard_size=64, workers=2)
    shards, rejects = settings.pack(reader, preprocessor, known, root / "shards")
    return reader, [Shard(path) for path in shards], rejects, preprocessor.wave


def test_every_file_is_a_star_or_a_reject(packed):
    reader, shards, rejects, _ = packed
    stars = [star for shard in shards for star in shard.info()["star"]]
    copied = rejects["star"].isin(stars)
    assert rejects["reason"][copied].str.startswith("a copy of the observation").all()
    found = sorted(stars + rejects["star"][~copied].tolist())
    assert found == list(range(len(reader.sources())))
    assert len(found) == N_FILES + 4
    assert stars


def test_nothing_is_unexpected(packed):
    _, _, rejects, _ = packed
    assert rejects["unexpected"].unique().tolist() == [""]
    assert (rejects["reason"].str.len() > 0).all()
    assert not rejects["reason"].str.contains("\n").any()


def test_what_is_read_can_be_measured(packed):
    _, shards, _, wave = packed
    for shard in shards:
        assert shard.spectra(wave, range(len(shard))).is_usable.all()


def test_a_name_that_is_not_utf8_is_a_star(packed):
    _, shards, rejects, _ = packed
    named = [source for shard in shards for source in shard.info()["source"]]
    assert "caf\\udce9.fits.gz" in [*named, *rejects["source"]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_file_of_another_reader_is_read_or_one_named_line(layout):
    first, n = list(LAYOUTS).index(layout), len(LAYOUTS)
    for number in range(first, first + N_OF_A_LAYOUT * n, n):
        name, _, happened = read_case(number, SEED, None)
        assert name == layout
        assert "other" not in happened
