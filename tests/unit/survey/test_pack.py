import pytest
import torch
from tests.unit.survey.readers import Fake, Part, Stream

from torchfit.exceptions import ConfigError, DataError, OutputError, SpectrumError
from torchfit.files.atomic import remove_remnants
from torchfit.survey.pack import Packing
from torchfit.survey.piece import LEAST_PIXELS
from torchfit.survey.shards import Shard
from torchfit.surveys.reader import SurveyReader


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
    assert rejects["reason"][0] == "not good"
    assert "too few of the emulator's pixels are good" in rejects["reason"][1]


def test_what_has_fewer_good_pixels_than_a_fit_has_unknowns_is_a_reject(pack):
    """Whatever ``min_good`` allows."""
    just = LEAST_PIXELS + 50.5  # Fifty of the spectrum's pixels lie before the emulator's first.
    reader = Fake("0:1", f"1:{just / 500}", f"2:{(just - 2) / 500}", f"3:{51.5 / 500}")
    paths, rejects = pack(reader, min_good=0.0)
    assert stars_of(paths) == [0, 1]
    reason = f"too few of the emulator's pixels are good (less than {LEAST_PIXELS})"
    assert rejects["reason"].tolist() == [reason, reason]


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


@pytest.mark.parametrize("kind", [Fake, Stream])
def test_what_kept_all_spectra_from_being_read_may_be_mended(pack, kind):
    """A package that is installed, or rights that are given, change no file of the survey."""

    class Locked(kind):
        def read(self, source):
            raise SpectrumError(f"{source}: cannot be read (Permission denied)")

        def spectra(self, sources):
            return SurveyReader.spectra(self, sources)

    with pytest.raises(DataError, match="Permission denied"):
        pack(Locked("0:1", "1:1", "2:1"), shard_size=2)
    paths, rejects = pack(kind("0:1", "1:1", "2:1"), shard_size=2)
    assert sorted(stars_of(paths)) == [0, 1, 2] and rejects.empty


def test_no_reject_is_an_empty_table(pack):
    _, rejects = pack(Fake("0:1"))
    assert list(rejects.columns) == ["star", "source", "reason", "unexpected"]
    assert len(rejects) == 0


def test_windows_of_the_survey_are_masked(pack, preprocessor):
    paths, _ = pack(Fake("0:1"), windows=[[4100.0, 4120.0]])
    good = Shard(paths[0]).spectra(preprocessor.wave, [0]).good[0]
    inside = (preprocessor.wave >= 4101) & (preprocessor.wave <= 4119)
    assert not good[inside].any()
    assert good[preprocessor.wave < 4098].all()


@pytest.mark.parametrize(
    "settings", [{"min_good": -0.1}, {"min_good": 1.1}, {"shard_size": 0}, {"workers": -1}]
)
def test_impossible_settings(settings):
    with pytest.raises(ConfigError, match="pack: min_good"):
        Packing(**settings)


SOURCES = ["0:1", "1:bad", "2:1", "3:0.1", "4:1", "5:bad", "6:0.9"]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_workers_write_the_same_bytes(pack, tmp_path):
    paths, rejects = pack(Fake(*SOURCES), "one", shard_size=2)
    paths_of_two, rejects_of_two = pack(Fake(*SOURCES), "two", shard_size=2, workers=2)
    assert [path.name for path in paths_of_two] == [path.name for path in paths]
    assert rejects_of_two.equals(rejects)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_worker_is_sent_only_what_it_needs(pack):
    paths, _ = pack(Part(*SOURCES), shard_size=2, workers=2)
    assert stars_of(paths) == [0, 2, 4, 6]


def test_a_killed_worker_leaves_what_is_finished(pack, tmp_path):
    with pytest.raises(DataError, match="worker was killed"):
        pack(Fake("0:1", "1:1", "2:1", "3:1", "4:kill", "5:1"), shard_size=1, workers=2)
    # Another worker, ended with the killed one, may leave the temporary file it was writing.
    remove_remnants(tmp_path / "shards")
    kept = contents(tmp_path / "shards")
    again = Fake("0:1", "1:1", "2:1", "3:1", "4:1", "5:1")
    paths, _ = pack(again, shard_size=1, workers=0)
    assert stars_of(paths) == list(range(6))
    finished = {f"{name[8:13]}" for name in kept if name.startswith("rejects")}
    assert {int(number) for number in finished}.isdisjoint(
        int(source[0]) for source in again.read_sources
    )


def test_an_error_of_a_worker_is_told_as_it_is(pack):
    with pytest.raises(OutputError, match="no room"):
        pack(Fake("0:1", "1:full"), shard_size=1, workers=2)


def test_an_archive_is_packed_in_one_pass_in_its_own_order(pack):
    reader = Stream(*SOURCES)
    paths, rejects = pack(reader, shard_size=3, workers=2)
    assert stars_of(paths) == [0, 2, 4, 6]
    assert list(rejects["star"]) == [1, 3, 5]
    assert reader.passes == 1
    for path in paths:
        info = Shard(path).info()
        assert [int(source[0]) for source in info["source"]] == list(info["star"])


def test_a_broken_pass_goes_on(pack, tmp_path):
    pack(Stream(*SOURCES), shard_size=2)
    whole = contents(tmp_path / "shards")
    (tmp_path / "shards" / "rejects-00001.jsonl").unlink()
    pack(Stream(*SOURCES), shard_size=2)
    assert contents(tmp_path / "shards") == whole
    reader = Stream(*SOURCES)
    pack(reader, shard_size=2)
    assert not hasattr(reader, "passes")
