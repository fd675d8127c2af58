import csv

import pytest

from torchfit.exceptions import OutputError
from torchfit.mock.lamost import MockLamostReader
from torchfit.mock.lamost_catalogue import (
    CATALOGUE_COLUMNS,
    COMMON_COLUMNS,
    STELLAR_COLUMNS,
    common_row,
    gaia_source_id,
    label_row,
    lamost_catalogues,
)


@pytest.fixture(scope="module")
def objects():
    reader = MockLamostReader(80)
    return [reader.lamost_object(source) for source in reader.sources()]


@pytest.fixture(scope="module")
def tables(objects, tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    with lamost_catalogues(folder) as add:
        for made in objects:
            add(made)
    read = {}
    for name in ("catalogue", "stellar"):
        with (folder / f"dr10_v2.0_LRS_{name}.csv").open() as file:
            read[name] = list(csv.DictReader(file))
    return read


def test_the_columns_are_those_of_the_release(tables):
    """FORMATS.md 2.8: 34 common columns, 36 of all spectra."""
    assert len(COMMON_COLUMNS) == 34
    assert list(tables["catalogue"][0]) == list(CATALOGUE_COLUMNS)
    assert list(tables["stellar"][0]) == list(STELLAR_COLUMNS)
    assert len(CATALOGUE_COLUMNS) == 36


def test_every_spectrum_has_a_row_and_afgk_stars_have_labels(tables, objects):
    assert [int(row["obsid"]) for row in tables["catalogue"]] == [made.obsid for made in objects]
    afgk = [made.obsid for made in objects if made.subclass[0] in "AFGK"]
    assert [int(row["obsid"]) for row in tables["stellar"]] == afgk
    assert 0 < len(afgk) < len(objects)


def test_rows_fit_the_columns(objects):
    for made in objects:
        assert tuple(common_row(made)) == COMMON_COLUMNS
        assert tuple(common_row(made) | label_row(made)) == STELLAR_COLUMNS


def test_labels_scatter_around_the_truth(objects):
    pulls = []
    for made in objects:
        row, true = label_row(made), made.observation.star.labels
        pulls.append((row["teff"] - true["teff"]) / row["teff_err"])
        assert row["alpha_m"] == -9999.0
    assert 0.7 < (sum(pull**2 for pull in pulls) / len(pulls)) ** 0.5 < 1.3


def test_gaia_identifiers_need_all_their_digits():
    number = gaia_source_id(12)
    assert len(number) == 19
    assert f"{float(number):.0f}" != number
    assert gaia_source_id(49) == ""


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="was not written"), lamost_catalogues(tmp_path / "file"):
        pass
