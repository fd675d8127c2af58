import importlib.util
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from torchfit.catalogue.hats_folder import demand_hats, write_hats
from torchfit.catalogue.schema import catalogue_columns
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS

SCHEMA = catalogue_columns(LABELS)
needs_hats = pytest.mark.skipif(
    importlib.util.find_spec("hats_import") is None, reason="pip install 'torchfit[hats]'"
)


@pytest.fixture
def placed(make_catalogue):
    """Stars all over the sky, one without a place."""
    table = make_catalogue(40)
    table["ra"], table["dec"] = np.linspace(0, 359, 40), np.linspace(-80, 80, 40)
    table.loc[3, "ra"] = np.nan
    return table


@needs_hats
@pytest.mark.slow
def test_hats_reads_it_back_with_units(tmp_path, placed):
    import hats

    write_hats(tmp_path / "x", placed, SCHEMA, {"torchfit": "1"})
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["torchfit"]
    read = hats.read_hats(tmp_path / "x" / "torchfit")
    assert read.catalog_info.total_rows == 39
    files = list((tmp_path / "x").rglob("Npix=*.parquet"))
    rows = [pq.read_table(file).to_pandas() for file in files]
    stars = np.concatenate([part["star"] for part in rows])
    assert sorted(stars) == [star for star in placed["star"] if star != 3]
    assert pq.read_schema(files[0]).field("teff").metadata[b"unit"] == b"K"


def test_without_a_place_there_is_a_note(tmp_path, placed):
    write_hats(tmp_path / "x", placed.assign(ra=np.nan), SCHEMA, {})
    (note,) = (tmp_path / "x").iterdir()
    assert note.read_text() == "No star has a place in the sky.\n"


def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hats_import", None)
    with pytest.raises(CatalogueError, match=r"pip install 'torchfit\[hats\]'"):
        demand_hats()
