"""A short part of the campaign of damaged tables, the same files at every run."""

import logging

import pytest

from torchfit.crossmatch.user_table import TableSchema
from torchfit.exceptions import DataError
from torchfit.mock.table_faults import FORMATS, SoundTables
from torchfit.surveys.lamost_catalogue import LamostCatalogue

N_DAMAGED = 20
"""Of every format."""
SCHEMA = TableSchema(
    {name: [name] for name in ("ra", "dec", "teff")},
    {"obsid": ["obsid"], "gaia": ["gaia_source_id"]},
)


@pytest.fixture(scope="module")
def sound():
    return SoundTables()


@pytest.mark.parametrize("name", FORMATS)
def test_a_sound_table_is_read_the_same_in_every_format(sound, tmp_path, name):
    paths = tmp_path / "sound", tmp_path / "csv"
    for path, kind in zip(paths, (name, "csv"), strict=True):
        path.write_bytes(sound.files[kind])
    read, plain = (SCHEMA.read(path) for path in paths)
    assert read.n_read == plain.n_read == sound.n_rows
    assert list(read.table["gaia"]) == list(plain.table["gaia"])
    assert list(read.table["teff"]) == list(plain.table["teff"])
    assert (read.table[["ra", "dec"]] - plain.table[["ra", "dec"]]).abs().max().max() < 1e-4
    assert len(LamostCatalogue.read(paths[0]).table) == sound.n_rows


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_table_is_read_or_refused_in_one_line(sound, tmp_path, name, caplog):
    caplog.set_level(logging.CRITICAL)
    first = list(FORMATS).index(name)
    path = tmp_path / "table"
    for number in range(first, N_DAMAGED * len(FORMATS), len(FORMATS)):
        raw, made, _ = sound.damaged(number, seed=2)
        assert made == name
        path.write_bytes(raw)
        for use in (SCHEMA.read, LamostCatalogue.read):
            try:
                use(path)
            except DataError as error:
                assert "\n" not in str(error)


def test_the_same_seed_makes_the_same_damage(sound):
    assert sound.damaged(5, 1) == SoundTables().damaged(5, 1)
