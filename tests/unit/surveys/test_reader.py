import pickle
import time

import pytest

from torchfit.exceptions import OutputError, SpectrumError, UnexpectedError
from torchfit.surveys.reader import SurveyReader


class Minimal(SurveyReader):
    name = "minimal"
    lsf_fwhm = None

    def sources(self):
        return ["a"]

    def read(self, source):
        raise NotImplementedError


def test_the_base_cannot_be_built():
    with pytest.raises(TypeError):
        SurveyReader()


def test_provenance_names_the_reader():
    assert Minimal().provenance() == {"reader": "minimal"}


class Troubled(Minimal):
    """Every source fails in its own way."""

    time_limit = 0.05

    def read(self, source):
        if source == "slow":
            time.sleep(30)
        raise {
            "known": SpectrumError("known: no good pixel"),
            "type": TypeError("a thing\nof another type"),
            "overflow": OverflowError(),
            "memory": MemoryError("no room"),
            "disk": OutputError("no room on the disk"),
        }[source]


@pytest.mark.parametrize(
    ("source", "kind"),
    [("type", "TypeError"), ("overflow", "OverflowError"), ("memory", "MemoryError")],
)
def test_what_no_one_foresaw_is_a_named_outcome(source, kind):
    ((found, outcome),) = Troubled().spectra([source])
    assert found == source
    assert isinstance(outcome, UnexpectedError)
    assert outcome.kind == kind
    assert str(outcome).startswith(f"{source}: failed unexpectedly ({kind}: ")
    assert "\n" not in str(outcome)
    again = pickle.loads(pickle.dumps(outcome))
    assert (str(again), again.kind) == (str(outcome), kind)


def test_one_trouble_does_not_end_the_others():
    sources = ["type", "known", "slow", "overflow"]
    outcomes = list(Troubled().spectra(sources))
    assert [source for source, _ in outcomes] == sources
    assert [type(outcome) for _, outcome in outcomes] == [
        UnexpectedError, SpectrumError, SpectrumError, UnexpectedError,
    ]  # fmt: skip
    assert str(outcomes[2][1]) == "slow: reading took longer than 0.05 s"


def test_trouble_of_the_run_as_a_whole_is_raised():
    with pytest.raises(OutputError, match="no room on the disk"):
        list(Troubled().spectra(["disk"]))
