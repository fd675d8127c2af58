import pytest

from torchfit.report.rows import format_rows, format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("FGK", "FGK"),
        (12345, "12345"),
        (12345.6, "12346"),
        (-97.64, "-97.6"),
        (3.14159, "3.14"),
        (0.09121, "0.0912"),
        (-0.00001, "0.0000"),
        (0.0, "0.0000"),
        (float("nan"), "-"),
        (float("inf"), "inf"),
    ],
)
def test_value_as_text(value, text):
    assert format_value(value) == text


def test_rows_are_aligned():
    rows = [{"class": "FGK", "n": 750, "bias": -35.02}, {"class": "OB", "n": 8, "bias": 0.5}]
    assert format_rows(rows).splitlines() == [
        "class    n    bias",
        "-----  ---  ------",
        "FGK    750   -35.0",
        "OB       8  0.5000",
    ]


def test_no_rows_say_so():
    assert format_rows([]) == "(nothing)"
