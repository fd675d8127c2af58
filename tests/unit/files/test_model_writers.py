import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from tests.unit.files.models import WAVE, made_models

from torchfit.files.model_spectra import PIXELS
from torchfit.files.model_writers import WRITERS

PROVENANCE = {"config": "a: 1\nb: 2", "command": "torchfit infer"}


@pytest.mark.parametrize("format", WRITERS)
def test_the_same_spectra_give_the_same_bytes(tmp_path, format):
    for name in "ab":
        WRITERS[format](tmp_path / name, made_models(3), PROVENANCE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_parquet_needs_no_torchfit_to_be_read(tmp_path):
    WRITERS["parquet"](tmp_path / "a", made_models(300), PROVENANCE)
    table = pq.read_table(tmp_path / "a")
    assert table.column_names == ["star", "source", *PIXELS]
    metadata = table.schema.metadata
    np.testing.assert_array_equal(json.loads(metadata[b"wave"]), WAVE)
    assert json.loads(metadata[b"provenance"]) == PROVENANCE
    model = np.stack(table["model"].to_pandas())
    np.testing.assert_array_equal(model, made_models(300).model)
    assert all(table.schema.field(name).metadata[b"description"] for name in PIXELS)


def test_fits_needs_no_torchfit_to_be_read(tmp_path):
    WRITERS["fits"](tmp_path / "a", made_models(3), PROVENANCE)
    with fits.open(tmp_path / "a") as units:
        units.verify("exception")
        np.testing.assert_array_equal(units["WAVE"].data, WAVE)
        rows = units["SPECTRA"]
        np.testing.assert_array_equal(rows.data["MODEL"], made_models(3).model)
        assert rows.header["PROV1"] == "config = a: 1\\nb: 2"
        assert rows.header["TCOMM3"].startswith("normalised flux")
