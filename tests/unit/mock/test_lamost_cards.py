from datetime import date

import pytest

from torchfit.mock.lamost import MockLamostReader
from torchfit.mock.lamost_cards import header, iso_date, object_values, template

N_CARDS = {"lamost_table": 123, "lamost_coadd": 30, "lamost_image": 127}
"""FORMATS.md 2.2, 2.3, 2.9."""


def cards(unit):
    text = unit.decode("ascii")
    return [text[start : start + 80] for start in range(0, len(text), 80)]


@pytest.mark.parametrize(("name", "n_cards"), N_CARDS.items())
def test_a_header_without_changes_is_the_template(name, n_cards):
    unit = header(name, {})
    assert len(template(name)) == n_cards
    assert len(unit) % 2880 == 0
    assert cards(unit)[:n_cards] == list(template(name))
    assert cards(unit)[n_cards].rstrip() == "END"
    assert not "".join(cards(unit)[n_cards + 1 :]).strip()


def test_leftover_axes_of_the_new_layout():
    found = [card.split("/")[0].rstrip() for card in template("lamost_table")[:5]]
    assert found[2:] == [
        "NAXIS   =                    0", "NAXIS1  =                 3902",
        "NAXIS2  =                    5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("OBSID", 1247301001, "OBSID   =           1247301001 / Unique number ID of this spectrum"),
        ("RA", 66.43298, "RA      =            66.432980 / [deg] Right ascension of object"),
        ("Z", 4.19e-5, "Z       =           0.00004190 / Redshift of object"),
        ("SNRU", 21.9, "SNRU    =                21.90 / SNR of u filter"),
        ("SUBCLASS", "G5", "SUBCLASS= 'G5      '           / Subclass of object"),
    ],
)
def test_values_are_written_as_in_a_real_header(key, value, expected):
    """FORMATS.md, appendix A."""
    found = [card for card in cards(header("lamost_table", {key: value})) if card.startswith(key)]
    assert expected.ljust(80) in found


def test_a_long_name_moves_its_comment():
    value = "LAMOST J042543.91+323730.3"
    unit = header("lamost_table", {"DESIG": value})
    expected = f"DESIG   = '{value}' / Designation of LAMOST target"
    assert expected.ljust(80) in cards(unit)


@pytest.mark.parametrize("name", ["lamost_table", "lamost_image"])
def test_nothing_of_the_real_object_is_left(name):
    made = MockLamostReader(1).lamost_object("mock:00000000")
    for before, after in zip(
        template(name), cards(header(name, object_values(made))), strict=False
    ):
        if before[:8].rstrip() in object_values(made):
            assert after != before or before[:8].rstrip() in ("NORM", "FIBERID", "SPID", "NAXIS1")
        else:
            assert after == before
        assert len(after) == 80


def test_keywords_that_are_missing_are_left_out():
    made = MockLamostReader(1).lamost_object("mock:00000000")
    assert not any(
        c.startswith("NORM ") for c in cards(header("lamost_image", object_values(made)))
    )


def test_a_mock_file_says_so():
    made = MockLamostReader(1).lamost_object("mock:00000000")
    assert any(c.startswith("AUTHOR  = 'torchfit mock") for c in cards(
        header("lamost_table", object_values(made))
    ))  # fmt: skip


def test_dates():
    assert iso_date(55877) == date(2011, 11, 12).isoformat()
