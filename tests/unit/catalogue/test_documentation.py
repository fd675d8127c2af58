"""docs/catalogue.md says what the code does."""

from pathlib import Path

import pytest

from torchfit.catalogue.product import ENDINGS

ROOT = Path(__file__).parents[3]
TABLES = ("columns", "paper columns", "flags")
TEXT = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")


def test_tables_of_columns_and_flags_are_made_from_the_code():
    """tests/docs/test_site.py reads them on the page."""
    assert all(f"<!-- generated: {name} -->" in TEXT for name in TABLES)


@pytest.mark.parametrize("group", ["compare", "crossmatch"])
def test_every_table_that_can_be_named_is_there(group):
    for path in (ROOT / "conf" / group).glob("*.yaml"):
        assert f"`{path.stem}`" in TEXT


def test_every_format_is_there():
    assert all(kind in TEXT for kind in ENDINGS)
