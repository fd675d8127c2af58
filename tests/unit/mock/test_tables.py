import pytest

from torchfit.mock.tables import numbers, read_table


@pytest.mark.parametrize("name", ["elements.csv", "lines.csv", "molecules.csv", "bands.csv"])
def test_columns_are_equally_long(name):
    columns = read_table(name)
    assert len({len(column) for column in columns.values()}) == 1
    assert len(next(iter(columns.values()))) > 5


def test_numbers_are_numbers():
    assert numbers("elements.csv", "chi1")[0] == 24.59


def test_names_in_one_table_are_known_in_the_other():
    assert set(read_table("lines.csv")["element"]) <= set(read_table("elements.csv")["element"])
    assert set(read_table("bands.csv")["molecule"]) == set(read_table("molecules.csv")["molecule"])
