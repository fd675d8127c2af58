import pytest
import torch
from tests.unit.survey.readers import WAVE

from torchfit.spectra import Spectra, StarInfo
from torchfit.survey.copies import copies
from torchfit.survey.shards import shard_table, star_row, write_shard


@pytest.fixture
def copies_of(tmp_path):
    """``copies_of(*shards)``: star and source of what is copied in shards of infos."""

    def find(*shards):
        number, paths = 0, []
        for place, infos in enumerate(shards):
            rows = []
            for info in infos:
                rows.append(star_row(number, info))
                number += 1
            flux = torch.ones(len(rows), len(WAVE), dtype=torch.float64)
            spectra = Spectra(torch.from_numpy(WAVE), flux, flux, torch.ones(len(rows)) > 0)
            paths.append(tmp_path / f"shard-{place:05d}.arrow")
            write_shard(paths[-1], shard_table(rows, spectra))
        return [(row["star"], row["reason"]) for row in copies(paths)]

    return find


def info(source, obsid=None, checksum=None, mjd=55900, **known):
    return StarInfo(source, obsid=obsid, checksum=checksum, mjd=mjd, **known)


def test_packed_and_not_in_two_shards(copies_of):
    one, other = info("n/spec-1.fits.gz", 1, 11), info("spec-1.fits", 1, 11)
    found = copies_of([one, info("spec-2.fits", 2, 12)], [other])
    assert found == [(2, "a copy of the observation n/spec-1.fits.gz")]


def test_the_same_content_under_another_name(copies_of):
    found = copies_of([info("a.fits", 1, 11), info("a (1).fits", 1, 11), info("b.fits", 2, 12)])
    assert [star for star, _ in found] == [1]


def test_another_release_of_one_observation_has_its_name(copies_of):
    found = copies_of([info("dr7/spec-1.fits", 1, 11), info("dr10/spec-1.fits.gz", 1, 99)])
    assert [star for star, _ in found] == [1]


def test_the_first_release_has_no_identifier(copies_of):
    shard = [info("a/spec-1.fits", None, 11), info("b/spec-1.fits", None, 12), info("c.fits")]
    assert [star for star, _ in copies_of(shard)] == [1]


def test_three_alike_are_copies_of_the_first(copies_of):
    a, b, c = info("a.fits", 1, 11), info("b.fits", 1, 11), info("x/b.fits", 1, 12)
    assert copies_of([a, b, c]) == [
        (1, "a copy of the observation a.fits"),
        (2, "a copy of the observation b.fits"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        info("b.fits", 1, 12),
        info("a.fits", 2, 12),
        info("x/a.fits", 1, 12, mjd=55901),
        info("a2.fits", 2, 11),
    ],
    ids=["reduced otherwise", "another", "another night", "the same sum by chance"],
)
def test_what_is_alike_in_one_thing_is_no_copy(copies_of, other):
    assert copies_of([info("a.fits", 1, 11), other]) == []


def test_libraries_without_nights_and_identifiers_have_no_copies(copies_of):
    assert copies_of([info("a", mjd=None), info("a", mjd=None)]) == []


def test_no_shard_no_copy():
    assert copies([]) == []
