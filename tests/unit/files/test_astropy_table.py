import io

import astropy.table as at
import pytest
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info

from torchfit.exceptions import DataError
from torchfit.files.astropy_table import open_votables
from torchfit.files.table_file import find_columns, read_columns


def votable(folder, *infos, names=("a",)):
    """A VOTable with what its service says after the rows."""
    tree = from_table(at.Table({name: [1, 2] for name in names}))
    tree.resources[0].infos.extend(infos)
    for field in tree.get_first_table().fields:
        field.name = f"[{field.name}]"
    buffer = io.BytesIO()
    tree.to_xml(buffer)
    (folder / "x.vot").write_bytes(buffer.getvalue())
    return folder / "x.vot"


def status(value, text=""):
    info = Info(name="QUERY_STATUS", value=value)
    info.content = text
    return info


def test_a_table_that_the_service_cut_is_noted(tmp_path):
    found = find_columns(votable(tmp_path, status("OVERFLOW", "2 rows at most")), {"a": ["a"]})
    assert [piece["a"].to_pylist() for piece in found.pieces()] == [[1, 2]]
    assert found.notes == ["the service cut the table (QUERY_STATUS OVERFLOW) 2 rows at most"]


def test_an_error_is_that_of_the_service(tmp_path):
    path = votable(tmp_path, status("ERROR", "timed out\nafter 60 s"))
    with pytest.raises(DataError, match="answered with an error: timed out after 60 s"):
        read_columns(path, {"a": ["a"]})


def test_a_status_of_ok_is_nothing_to_note(tmp_path):
    assert next(open_votables(votable(tmp_path, status("OK")))).notes == []


def test_columns_have_names_and_identifiers(tmp_path):
    path = votable(tmp_path)
    assert find_columns(path, {"x": ["[a]"]}).places == find_columns(path, {"x": ["a"]}).places


def test_masked_integers_are_missing_and_keep_their_digits(tmp_path):
    values = at.MaskedColumn([3428806540132843521, 5], mask=[False, True])
    for name, kind in (("x.vot", "votable"), ("x.ecsv", "ascii.ecsv"), ("x.tbl", "ascii.ipac")):
        at.Table({"a": values, "b": [1, 2]}).write(tmp_path / name, format=kind)
        read = read_columns(tmp_path / name, {"a": ["a"]})["a"].to_pylist()
        assert read == [3428806540132843521, None]
