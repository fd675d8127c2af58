import gzip

import pytest

from torchfit.exceptions import DataError
from torchfit.files.text_table import open_texts


def read(folder, text, encoding="utf-8", stated=None):
    """Names, rows and notes of the first table."""
    path = folder / "x.dat"
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    table = next(open_texts(path, stated))
    pieces = list(table.pieces(range(len(table.names))))
    rows = [list(row.values()) for piece in pieces for row in piece.to_pylist()]
    return list(table.names), rows, table.notes


@pytest.mark.parametrize(
    "text",
    [
        "Teff logg\n5000 4\n",
        "# made by hand\n# Teff  logg\n5000 4\n",
        "#Teff,logg\n5000,4\n",
        "# a comment\n\nTeff,logg\n5000,4\n",
        "Teff, logg\n5000, 4\n",
        '"Teff"\t"logg"\n"5000"\t"4"\n',
        "Teff;logg\r\n5000;4\r\n",
        "Teff,logg\r5000,4\r",
        "Teff,logg\nK,dex\n5000,4",
        "+-----+----+\n|Teff |logg|\n+-----+----+\n|5000 |4   |\n+-----+----+\n",
        "Teff,logg\n5000,4,\n",
        "Teff logg\n1 5000 4\n2 6000 3\n",
    ],
)
def test_headers_of_text_tables(tmp_path, text):
    names, rows, _ = read(tmp_path, text)
    row = dict(zip(names, rows[0], strict=True))
    assert {"Teff": row["Teff"].strip(), "logg": row["logg"].strip()} == {
        "Teff": "5000",
        "logg": "4",
    }


VIZIER = "#VizieR\n\n#Column\tx\nTeff\tName\tlogg\nK\t\t[cm/s2]\n-----\t----\t----\n 5000\ta\t4.0\n"


def test_rows_of_units_and_dashes_are_no_data(tmp_path):
    path = tmp_path / "vizier.tsv"
    path.write_text(VIZIER)
    table = next(open_texts(path, None))
    assert list(table.units) == ["K", "", "[cm/s2]"]
    assert [len(piece) for piece in table.pieces([0])] == [1]


def test_several_tables_of_vizier_in_one_file(tmp_path):
    path = tmp_path / "vizier.tsv"
    path.write_text(VIZIER + "\n#another\nRA\tDE\ndeg\tdeg\n---\t---\n1\t2\n3\t4\n")
    tables = list(open_texts(path, None))
    assert [list(table.names) for table in tables] == [["Teff", "Name", "logg"], ["RA", "DE"]]
    assert [sum(map(len, table.pieces([0]))) for table in tables] == [1, 2]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encodings_that_show(tmp_path, encoding):
    assert read(tmp_path, "name,Teff\nα Cen,5000\n", encoding)[1] == [["α Cen", "5000"]]


def test_an_encoding_that_does_not_show(tmp_path):
    text = "name,Teff\n参宿四,3600\nx,5000\n"
    names, rows, notes = read(tmp_path, text, "gb18030")
    assert [row[1] for row in rows] == ["3600", "5000"]
    assert "1 lines are not utf-8" in notes[0]
    assert read(tmp_path, text, "gb18030", "gb18030") == (
        names,
        [["参宿四", "3600"], ["x", "5000"]],
        [],
    )


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ("HD 1 #7,5000", "HD 1 #7"),
        ("#7,5000", "#7"),
        ('"#7, B",5000', "#7, B"),
        ('"a ""b""",5000', 'a "b"'),
        ('5" off,5000', '5" off'),
        ('"open,5000', '"open'),
        ('"two\nlines",5000', "two lines"),
    ],
)
def test_cells_with_hashes_and_quotes(tmp_path, row, cell):
    _, rows, _ = read(tmp_path, f"name,Teff\nx,4000\n{row}\ny,6000\n")
    assert rows == [["x", "4000"], [cell, "5000"], ["y", "6000"]]


def test_rows_of_another_length_are_left_out_and_told(tmp_path):
    _, rows, notes = read(tmp_path, "a,b\n1,2\n3,4\n5\n# why\n6,7,8\n")
    assert rows == [["1", "2"], ["3", "4"]]
    assert "2 rows were left out, which have another number of cells than the 2 names" in notes[0]
    assert notes[1] == "1 lines that begin with # were taken for comments"


def test_decimal_commas_between_commas_are_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="names 2 columns, its rows have 4 cells; a decimal comma"):
        read(tmp_path, "Teff,logg\n5000,1,4,2\n6000,2,3,1\n")


def test_a_gzipped_text_with_bytes_after_its_end(tmp_path):
    packed = gzip.compress(b"a|b\n1|2\n")
    assert read(tmp_path, packed + gzip.compress(b"3|4\n"))[1] == [["1", "2"], ["3", "4"]]
    names, rows, notes = read(tmp_path, packed + b"garbage")
    assert (names, rows) == (["a", "b"], [["1", "2"]])
    assert notes == ["bytes after the end of its gzip stream were not read"]


def test_a_long_text_comes_in_pieces(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "".join(f"{n},{n}\n" for n in range(400_000)))
    pieces = [len(piece) for piece in next(open_texts(path, None)).pieces([1])]
    assert sum(pieces) == 400_000
    assert len(pieces) > 2
