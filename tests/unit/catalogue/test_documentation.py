"""docs/catalogue.md says what the code does."""

from pathlib import Path

import pytest

from torchfit.catalogue.product import ENDINGS
from torchfit.catalogue.schema import catalogue_columns
from torchfit.flags.bits import MEANINGS
from torchfit.names import LABELS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")


def test_every_column_of_table_one_is_there_with_its_name_in_the_paper():
    for column in catalogue_columns(LABELS):
        if column.paper:
            line = f"| `{column.name}` | {column.paper} | {column.unit or '–'} | {column.text} |"
            assert line in TEXT, line


def test_every_bit_is_there_with_its_meaning():
    for flag, meaning in MEANINGS.items():
        assert f"| {int(flag)} | `{flag.name}` | {meaning} |" in TEXT


@pytest.mark.parametrize("group", ["compare", "crossmatch"])
def test_every_table_that_can_be_named_is_there(group):
    for path in (ROOT / "conf" / group).glob("*.yaml"):
        assert f"`{path.stem}`" in TEXT


def test_every_format_is_there():
    assert all(kind in TEXT for kind in ENDINGS)
