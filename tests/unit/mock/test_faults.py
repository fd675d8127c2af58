import gzip

import pytest

from torchfit.mock.faults import LAYOUTS, SoundFiles


@pytest.fixture(scope="module")
def sound():
    return SoundFiles(2)


def test_files_of_every_layout_of_every_star(sound):
    assert sound.files.keys() == LAYOUTS.keys()
    assert all(len(files) == 2 for files in sound.files.values())
    assert len({raw for files in sound.files.values() for raw in files}) == 2 * len(LAYOUTS)


def test_a_number_is_a_file(sound):
    cases = [sound.damaged(number, seed=3) for number in range(40)]
    assert cases == [SoundFiles(2).damaged(number, seed=3) for number in range(40)]
    assert {layout for _, layout, _ in cases} == LAYOUTS.keys()
    assert [raw for raw, _, _ in cases] != [sound.damaged(n, seed=4)[0] for n in range(40)]


def test_some_are_packed(sound):
    cases = [sound.damaged(number, seed=3) for number in range(100)]
    packed = [raw for raw, _, kind in cases if raw.startswith(b"\x1f\x8b") and "gzip" not in kind]
    assert 20 < len(packed) < 80
    gzip.decompress(packed[0])
