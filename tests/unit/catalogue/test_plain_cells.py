import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.catalogue.csv_file import write_csv
from torchfit.catalogue.plain_cells import FORMULA, plain_cells
from torchfit.catalogue.write import rejects_writer


@given(st.lists(st.text(max_size=8), max_size=8))
def test_no_text_begins_a_formula_or_holds_a_control_character(texts):
    made = plain_cells(pd.DataFrame({"a": pd.Series(texts, dtype="str")}))["a"]
    for text in made:
        assert not text.lstrip().startswith(FORMULA)
        assert all(ord(character) > 31 and not 127 <= ord(character) < 160 for character in text)


@pytest.mark.parametrize("text", ["G3", "J125455.58+094557.3", "a-b.fits", "HD 1", "α", ""])
def test_ordinary_texts_and_numbers_stay(text):
    table = pd.DataFrame({"a": [text], "b": [-1.5]})
    assert plain_cells(table).to_dict("list") == {"a": [text], "b": [-1.5]}


def test_every_csv_file_has_plain_cells(tmp_path):
    bad = '=HYPERLINK("x")\x1b\n'
    write_csv(tmp_path / "c", pd.DataFrame({"name": [bad], "teff": [-1.0]}))
    rejects_writer(pd.DataFrame({"source": [bad], "reason": ["-"]}))(tmp_path / "r")
    rows = [list(csv.reader((tmp_path / name).open(newline=""))) for name in "cr"]
    assert [row[1][0] for row in rows] == ['\'=HYPERLINK("x")  '] * 2
    assert [row[1][1] for row in rows] == ["-1", "'-"]
