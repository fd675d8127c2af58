import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.library.identity import star_key


@pytest.mark.parametrize(
    "names",
    [
        ("HD 044691", "hd44691", "HD044691", " HD  44691 "),
        ("BD+01 2916", "BD+012916", "bd+1 2916"),
        ("Feige110", "FEIGE 110"),
        ("NGC 7789 971", "ngc7789 0971"),
        ("CD-38 245", "cd -38  00245", "CD-38245"),
    ],
)
def test_spellings_of_one_star(names):
    assert len({star_key(name) for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HD 10", "HD 100"),
        ("HD 1", "HD 10"),
        ("HD044691A", "HD044691"),
        ("BD+01 2916", "BD-01 2916"),
        ("G 1.05", "G 1.5"),
        ("HD 105", "HD 15"),
        ("BD+01 2916", "BD+12 916"),
        ("BD+012916", "BD+12 916"),
        ("NGC 288 77", "NGC 2887 7"),
    ],
)
def test_two_stars_stay_two(one, other):
    assert star_key(one) != star_key(other)


def test_no_name_is_no_key():
    assert star_key("") == star_key("  ") == ""


def test_zero_itself_is_kept():
    assert star_key("HD 000") == "HD0"


@given(st.integers(1, 999999), st.integers(0, 4), st.integers(0, 3))
def test_zeros_blanks_and_case_do_not_count(number, zeros, blanks):
    name = f"Hd{' ' * blanks}{'0' * zeros}{number}"
    assert star_key(name) == f"HD{number}"


@given(st.text(alphabet="ABhd +-.0123456789", max_size=12))
def test_a_key_is_its_own_key(name):
    assert star_key(star_key(name)) == star_key(name)
