import pytest

from torchfit.exceptions import ConfigError
from torchfit.mock.lamost import MockLamostReader
from torchfit.surveys.sampled import RUN, ChosenReader, SampledReader


@pytest.fixture(scope="module")
def reader():
    return MockLamostReader(1000)


def test_runs_of_neighbours_are_taken_evenly(reader):
    chosen = SampledReader(reader, 3 * RUN).sources()
    every = reader.sources()
    places = [every.index(source) for source in chosen]
    assert places == sorted(set(places)) and len(places) <= 3 * RUN
    starts = [place for place in places if place - 1 not in places]
    assert starts[0] == 0 and starts[-1] >= 900 and len(starts) == 3


@pytest.mark.parametrize("n_spectra", [None, 1000, 5000])
def test_all_are_taken_where_that_is_not_too_many(reader, n_spectra):
    assert SampledReader(reader, n_spectra).sources() == reader.sources()


def test_never_more_than_asked_for(reader):
    assert len(SampledReader(reader, 70).sources()) <= 70


def test_it_reads_what_the_other_reads(reader):
    some = SampledReader(reader, 100)
    source = some.sources()[3]
    assert (some.read(source).flux == reader.read(source).flux).all()
    (found,) = some.spectra([source])
    assert found[0] == source and found[1].info == reader.read(source).info
    assert some.provenance() == reader.provenance() | {"spectra taken": str(len(some.sources()))}
    assert (some.name, some.lsf_fwhm) == (reader.name, reader.lsf_fwhm)


def test_no_spectrum_at_all_is_refused(reader):
    with pytest.raises(ConfigError, match="n_spectra=0"):
        SampledReader(reader, 0)


def test_chosen_spectra_keep_the_order_of_the_survey(reader):
    sources = reader.sources()
    chosen = ChosenReader(reader, [sources[30], sources[4], "no such spectrum"])
    assert chosen.sources() == [sources[4], sources[30]]
    with pytest.raises(ConfigError, match="at least one"):
        ChosenReader(reader, [])
