import shutil
import subprocess
import warnings

import numpy as np
import pytest
from astropy.io import votable

from torchfit.catalogue.schema import catalogue_columns
from torchfit.catalogue.votable_file import write_votable
from torchfit.names import LABELS

SCHEMA = catalogue_columns(LABELS)


@pytest.fixture(params=[0, 1, 7])
def written(request, tmp_path, make_catalogue):
    path = tmp_path / "catalogue.vot"
    table = make_catalogue(request.param)
    write_votable(path, table, SCHEMA, {"torchfit": "0.1", "config": "a: 1\nb: Höhe"})
    return path, table


def test_it_passes_the_standard_without_a_warning(written):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = votable.parse(written[0], verify="exception")
    assert len(tree.get_first_table().array) == len(written[1])


def test_fields_have_units_descriptors_and_descriptions(written):
    fields = votable.parse(written[0]).get_first_table().fields
    for field, column in zip(fields, SCHEMA, strict=True):
        assert field.name == column.name
        assert field.ucd == column.ucd
        assert column.text in " ".join(field.description.split())
        assert str(field.unit or "").replace(" ", "") == (
            "" if "dex" in column.unit else column.unit
        )


def test_a_logarithm_has_its_unit_in_words(written):
    fields = {field.name: field for field in votable.parse(written[0]).get_first_table().fields}
    assert fields["logg"].description.endswith("(dex(cm/s2))")
    assert fields["logg"].unit is None


def test_missing_numbers_are_null(written):
    path, table = written
    read = votable.parse(path).get_first_table().to_table()
    if len(table):
        assert list(np.ma.getmaskarray(np.ma.asarray(read["obsid"]))) == list(table["obsid"].isna())
        assert list(read["obsid"].compressed()) == list(table["obsid"].dropna())
        assert [str(text) for text in read["source"]] == list(table["source"])


def test_the_provenance_is_there(written):
    infos = {info.name: info.value for info in votable.parse(written[0]).infos}
    assert infos["torchfit"] == "0.1"
    assert infos["config"].encode().decode("unicode_escape") == "a: 1\nb: Höhe"


@pytest.mark.slow
def test_topcat_has_nothing_to_say_against_it(written):
    if shutil.which("stilts") is None:
        pytest.skip("no STILTS; apt-get install stilts has it")
    ended = subprocess.run(
        ["stilts", "votlint", str(written[0])], capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
