import csv
import re
from importlib.resources import files

import pytest

from torchfit.compare.published import (
    of_figure,
    offsets_and_scatters,
    published_numbers,
    published_value,
)
from torchfit.names import LABELS

FIGURE = re.compile(r"Text|(Fig|Table)\. \d+(-\d+)?")


def test_every_row_of_the_file_is_read():
    text = files("torchfit.compare").joinpath("published.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    assert rows[0] == ["figure", "page", "sample", "group", "label", "quantity", "value"]
    assert {len(row) for row in rows} == {7}
    assert len(published_numbers()) == len(rows) - 1


def test_every_number_says_where_it_stands_and_of_what_it_is():
    for number in published_numbers():
        assert FIGURE.fullmatch(number.figure) and number.sample and number.quantity
        assert number.label in ("", *LABELS)


def test_no_number_stands_twice():
    keys = [
        (n.figure, n.sample, n.group, n.label, n.quantity)
        for n in published_numbers()
        if n.quantity != "obsid"
    ]
    assert len(keys) == len(set(keys))


def test_a_number_is_found_by_what_it_is():
    assert published_value("Fig. 4", "hours for the survey") == 70.0
    assert published_value("Fig. 7", "scatter", group="FGK", label="teff") == 150.0


@pytest.mark.parametrize("where", [{}, {"label": "vsini"}])
def test_an_ambiguous_or_unknown_number_is_an_error(where):
    with pytest.raises(KeyError, match="published numbers"):
        published_value("Fig. 7", "scatter", **where)


def test_a_figure_without_numbers_has_none():
    assert of_figure("Fig. 99") == [] and len(of_figure("Fig. 21")) == 4


def test_offsets_come_with_their_scatters():
    assert offsets_and_scatters("APOGEE")["gM"]["logg"] == (-0.35, 0.3)
    assert offsets_and_scatters("") == {}
    for pairs in offsets_and_scatters("PASTEL").values():
        assert set(pairs) == {"teff", "logg", "fe_h"}
