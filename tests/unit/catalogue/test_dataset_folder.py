import pandas as pd

from torchfit.catalogue.dataset_folder import write_dataset
from torchfit.catalogue.schema import catalogue_columns
from torchfit.names import LABELS

SCHEMA = catalogue_columns(LABELS)


def test_every_value_has_its_folder_and_pandas_reads_all(tmp_path, catalogue):
    catalogue["spectral_class"] = ["K", "G", "K", "M", "G", "K", "OB"]
    write_dataset(tmp_path / "x", catalogue, SCHEMA, {"torchfit": "1"}, "spectral_class")
    folders = sorted(path.name for path in (tmp_path / "x").iterdir())
    assert folders == [f"spectral_class={name}" for name in ("G", "K", "M", "OB")]
    read = pd.read_parquet(tmp_path / "x").sort_values("star", ignore_index=True)
    assert list(read["spectral_class"].astype(str)) == list(catalogue["spectral_class"])
    others = [name for name in catalogue if name != "spectral_class"]
    pd.testing.assert_frame_equal(read[others], catalogue[others])


def test_the_same_table_gives_the_same_files(tmp_path, catalogue):
    contents = []
    for name in ("a", "b"):
        write_dataset(tmp_path / name, catalogue, SCHEMA, {}, "spectral_class")
        files = sorted((tmp_path / name).rglob("*.parquet"))
        contents.append([(f.relative_to(tmp_path / name), f.read_bytes()) for f in files])
    assert contents[0] == contents[1]


def test_no_star_is_a_table_without_a_row(tmp_path, make_catalogue):
    write_dataset(tmp_path / "x", make_catalogue(0), SCHEMA, {}, "spectral_class")
    read = pd.read_parquet(tmp_path / "x")
    assert len(read) == 0
    assert list(read.columns) == [column.name for column in SCHEMA]
