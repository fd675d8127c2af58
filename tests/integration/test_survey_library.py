"""``torchfit library`` from a measured survey to the table that a library is read from."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.integration import world
from tests.integration.running import ROOT, run

from torchfit.surveys.library_table import LibraryTableReader

pytestmark = pytest.mark.slow
KINDS, EACH = 2, 5
BINS = ["teff_dex=0.1", "logg=2.0", "fe_h=1.0", "min_stars=3"]


@pytest.fixture(scope="module")
def survey(cache, artefact, tmp_path_factory):
    """Folder of the measured stars, of two kinds."""
    root, folder = tmp_path_factory.mktemp("kinds"), tmp_path_factory.mktemp("survey")
    for kind, labels in enumerate(np.array([[5000.0, 3.0, -0.5], [6200.0, 3.6, -0.5]])):
        for number in range(EACH):
            world.make_lamost_star(root / f"{kind}-{number}.fits", labels, 5 * kind + number)
    options = world.lamost_options(folder, artefact, root)
    ended = run("infer", *options, "catalogue=recommended", "products=[models]")
    assert ended.status == 0, ended.err
    return folder


def library(*options):
    """Run ``torchfit library``."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "torchfit", "library", *options],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


def test_stars_of_a_kind_become_templates(survey, tmp_path):
    bins = [f"library.bins.{word}" for word in BINS]
    ended = library(f"results={survey}", f"hydra.run.dir={tmp_path}", *bins)
    assert ended.returncode == 0, ended.stderr
    table = pd.read_parquet(tmp_path / "library.parquet")
    good = pd.read_parquet(survey / "recommended.parquet")
    assert table["n_stars"].sum() <= len(good)
    assert table["n_stars"].min() >= 3
    assert (table["snr"] > 1.4 * table["snr_star"]).all()
    for row in table.itertuples():
        assert len(row.wave) == len(row.flux) == len(row.ivar) == len(row.lsf_fwhm)
        assert good["teff"].min() <= row.teff <= good["teff"].max()
        assert row.n_contributors.max() == row.n_stars
    metadata = pq.read_schema(tmp_path / "library.parquet").metadata
    assert metadata[b"medium"] == b"vacuum"
    assert b"torchfit library" in metadata[b"provenance"]
    reader = LibraryTableReader(str(tmp_path), "vacuum")
    spectra = [reader.read(source) for source in reader.sources()]
    assert [spectrum.info.labels["teff"] for spectrum in spectra] == table["teff"].tolist()
    assert [spectrum.info.name for spectrum in spectra] == table["name"].tolist()
    for spectrum, flux in zip(spectra, table["flux"], strict=True):
        np.testing.assert_array_equal(spectrum.flux[spectrum.good], flux[spectrum.good])
        assert spectrum.has_ivar and np.isfinite(spectrum.lsf_sigma).all()
    assert "Kiel diagram" in (tmp_path / "report.html").read_text()


def test_no_survey_and_no_bin_are_one_line(survey, tmp_path):
    ended = library(f"results={tmp_path}", f"hydra.run.dir={tmp_path / 'out'}")
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "catalogue=recommended" in line
