import numpy as np
import pandas as pd

from torchfit.crossmatch.dust import BayestarMap
from torchfit.crossmatch.external import ExternalCatalogue
from torchfit.crossmatch.join import Join
from torchfit.crossmatch.source import ColumnSource, join_all
from torchfit.files.column_table import ColumnTable


class Doubled:
    """Adds twice a column that another source may have added."""

    def __init__(self, name, new):
        self.name, self.new = name, new

    def check(self):
        pass

    def needs(self):
        return [self.name, "absent"]

    def join(self, stars):
        assert list(stars) == [self.name]
        columns = pd.DataFrame({self.new: 2 * stars[self.name]})
        return Join(columns, np.ones(len(stars), dtype=bool), {"found": len(stars)})


def test_each_source_sees_what_those_before_it_have_added():
    table, lines = join_all(
        pd.DataFrame({"a": [1, 2]}), {"one": Doubled("a", "b"), "two": Doubled("b", "c")}
    )
    assert table["c"].tolist() == [4, 8]
    assert lines == [{"catalogue": "one", "found": 2}, {"catalogue": "two", "found": 2}]


def test_a_table_on_disk_is_joined_as_one_in_memory(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "z": ["x", "y"]})
    sources = {"one": Doubled("a", "b"), "two": Doubled("b", "a")}
    stored = join_all(ColumnTable.of(tmp_path, [frame]), sources)[0]
    pd.testing.assert_frame_equal(stored[list(stored)], join_all(frame, sources)[0])


def test_no_source_changes_nothing():
    table = pd.DataFrame({"a": [1]})
    assert join_all(table, {}) == (table, []) or join_all(table, {})[0].equals(table)


def test_tables_and_maps_are_sources():
    for kind in (ExternalCatalogue, BayestarMap, Doubled):
        assert issubclass(kind, ColumnSource)
