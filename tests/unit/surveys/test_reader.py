import pytest

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
