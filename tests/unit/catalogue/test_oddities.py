import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.oddities import oddities
from torchfit.names import LABELS

ERRORS = [f"e_{label}" for label in LABELS]
RATIOS = [f"snr_{band}" for band in "ugriz"]


@pytest.fixture
def usual(make_catalogue):
    """Forty stars of two classes with everything known."""
    table = make_catalogue(40)
    table["spectral_class"] = ["G", "K"] * 20
    table["obsid"] = pd.array(range(40), "Int64")
    return table


def test_nothing_is_said_of_a_usual_catalogue(usual):
    assert oddities(usual, LABELS) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t[:10], "There are 10 stars"),
        (lambda t: t.assign(teff=t["teff"].where(t["star"] > 2)), "3 of 40 stars have no labels"),
        (lambda t: t.assign(**dict.fromkeys(ERRORS, np.nan)), "No star has errors of its labels"),
        (
            lambda t: t.assign(**dict.fromkeys(RATIOS, np.nan)),
            "No star has a signal-to-noise ratio",
        ),
        (lambda t: t.assign(spectral_class="M"), "All stars are of class M."),
        (lambda t: t.assign(obsid=t["obsid"].mask(t["star"] < 3, 7)), "4 rows share their obsid"),
    ],
)
def test_what_is_unusual_is_said_and_nothing_else(usual, change, word):
    (sentence,) = oddities(change(usual), LABELS)
    assert sentence.startswith(word)


def test_observations_without_an_identifier_are_not_double(usual):
    assert oddities(usual.assign(obsid=pd.array([None] * 40, "Int64")), LABELS) == []


def test_no_star(usual):
    assert oddities(usual[:0], LABELS)[0].startswith("There are 0 stars")
