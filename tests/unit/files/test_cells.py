import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.files.cells import Numbers, Texts, as_numbers, as_texts


def cells(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5777", 5777), (" 5777.5 ", 5777.5), ("5.777e3", 5777), ("5.777D+03", 5777), ("+.5", 0.5),
        ("−0.5", -0.5), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1,234,567", 1234567),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text, number):
    assert as_numbers(cells([text, "1"]))[0] == number


@pytest.mark.parametrize("word", ["", "nan", "NULL", "--", "...", "N/A", "None", None])
def test_words_for_nothing_are_missing_and_not_told(word):
    numbers = Numbers("x")
    assert np.isnan(numbers.take(cells([word, "x", "5"]))[0])
    assert numbers.n_lost == 1


def test_what_is_no_number_is_counted_and_shown():
    numbers = Numbers("Teff")
    np.testing.assert_array_equal(numbers.take(cells(["5", "<5", "7:"])), [5, np.nan, np.nan])
    numbers.take(cells(["?"]))
    assert numbers.notes() == ["3 cells of Teff are no numbers, such as '<5'"]


def test_a_comma_is_decimal_where_nothing_else_is_possible():
    alone = Numbers("x", decimal_comma=True)
    np.testing.assert_array_equal(alone.take(cells(["8,222", "-0,1"])), [8.222, -0.1])
    assert alone.remark() == "decimal commas"
    among = Numbers("x")
    np.testing.assert_array_equal(among.take(cells(["8,222", "-0,1"])), [np.nan, -0.1])
    assert among.n_lost == 1, "8,222 may be eight thousand"


@given(st.floats(-1e6, 1e6), st.integers(1, 6))
def test_a_decimal_comma_means_a_decimal_point(value, digits):
    text = f"{value:.{digits}f}"
    taken = Numbers("x", decimal_comma=True).take(cells([text.replace(".", ",")]))
    assert taken[0] == float(text)


def test_stand_ins_become_nan_in_single_precision_too():
    values = cells([-9999.99, -9999.0, 5.0], pa.float32())
    np.testing.assert_array_equal(as_numbers(values, [-9999.99, -9999.0]), [np.nan, np.nan, 5.0])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_whole_numbers_keep_every_digit(values):
    assert as_texts(cells(values, pa.int64())).tolist() == [str(value) for value in values]
    assert as_texts(cells([str(v) for v in values], pa.string())).tolist() == list(map(str, values))


@pytest.mark.parametrize(("kind", "bits"), [(pa.float32(), 24), (pa.float64(), 53)])
def test_floats_are_identifiers_only_where_they_are_exact(kind, bits):
    texts = Texts("source_id")
    taken = texts.take(cells([12.0, None, 2.0**bits, 2.0 ** (bits + 2)], kind))
    assert taken.tolist() == ["12", "", str(2**bits), ""]
    assert "1 identifiers in source_id were made floats" in texts.notes()[0]


def test_texts_of_floats_are_taken_likewise():
    texts = Texts("source_id")
    taken = texts.take(cells(["101001.0", "1.01001e5", "3.4e+18", "2.5", "NGC 2682", "x.0"]))
    assert taken.tolist() == ["101001", "101001", "", "2.5", "NGC 2682", "x.0"]
    assert texts.n_lost == 1


def test_the_name_of_the_catalogue_before_an_identifier():
    texts = Texts("source_id")
    taken = texts.take(
        cells(["Gaia DR3 3428806540132843520", "Gaia EDR3 12", "Gaia DR2 12", "GJ 1"])
    )
    assert taken.tolist() == ["3428806540132843520", "12", "", "GJ 1"]
    assert texts.n_other_release == 1
