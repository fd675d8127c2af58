from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.metrics import plain_metric

from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.schema import CLIPPED
from torchfit.exceptions import CatalogueError, ConfigError
from torchfit.files.column_table import ROWS, ColumnTable
from torchfit.files.model_reader import read_models
from torchfit.likelihood.metric import Metric
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.products import models as module
from torchfit.products.measured import MeasuredSurvey
from torchfit.products.models import ModelProduct, folder_writer
from torchfit.run.trainer import build_trainer
from torchfit.spectra import Spectra, StarInfo
from torchfit.survey.crew import Crew
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey
from torchfit.survey.shards import shard_table, star_row, write_shard

N_STARS, FIRST = 11, 40
LABELS = ["teff", "logg", "fe_h"]


@pytest.fixture(scope="module")
def truth(draw_labels):
    return draw_labels(N_STARS, 5)


@pytest.fixture(scope="module")
def survey(tmp_path_factory, observe, truth, masked_emulator):
    """Eleven stars in two shards, with bad pixels, a cosmic ray each, and a sloping continuum."""
    folder = tmp_path_factory.mktemp("measured")
    spectra = observe(truth, 0.01, seed=5, masked=0.02)
    flux = spectra.flux * torch.linspace(0.97, 1.03, len(spectra.wave), dtype=torch.float64)
    flux[:, 100] += 0.9
    spectra = Spectra(spectra.wave, flux, spectra.ivar, spectra.has_ivar)
    spectra.ivar[:, 100] = 1e4
    rows = [star_row(FIRST + 2 * n, StarInfo(f"{n}.fits")) for n in range(N_STARS)]
    for name, some in (("0", slice(0, 4)), ("1", slice(4, None))):
        write_shard(folder / name, shard_table(rows[some], spectra[some]))
    fitter = BatchFitter(masked_emulator, FitSettings())
    paths = [folder / "0", folder / "1"]
    one = Devices(build_trainer)
    matched = match_survey(paths, fitter, one, folder / "start")
    parts = fit_survey(matched, fitter, one, folder / "parts", batch_groups=2)
    star = matched.stars.number
    table = merge_parts(parts, star, LABELS, folder / "table")
    metric = fitter.settings.metric
    return MeasuredSurvey(matched.packed, star, table, masked_emulator, metric)


@pytest.fixture(scope="module")
def written(survey, tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    ModelProduct(("parquet", "fits"), rows=4).write(survey, folder, {"a": "b"})
    return folder


@pytest.fixture
def spectra(written):
    return read_models(written / "parquet")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("part-*"))}


def test_every_star_once_in_the_order_of_the_catalogue(spectra, survey, written):
    assert spectra.star.tolist() == list(range(FIRST, FIRST + 2 * N_STARS, 2))
    assert spectra.source == [f"{number}.fits" for number in range(N_STARS)]
    names = [path.name for path in sorted((written / "parquet").iterdir())]
    assert names == [f"part-{number:06d}.parquet" for number in range(3)]
    ModelProduct(("parquet", "fits"), rows=4).demand_all(survey, written)


def test_both_formats_hold_the_same(spectra, written):
    fits = read_models(written / "fits")
    for name in ("wave", "star", "flux", "ivar", "mask", "model", "continuum"):
        np.testing.assert_array_equal(getattr(fits, name), getattr(spectra, name))


def test_the_mask_is_what_the_fit_had(spectra, survey):
    packed = survey.packed.spectra(np.arange(N_STARS))
    known = survey.emulator.flux_pca.good.numpy()
    np.testing.assert_array_equal(spectra.mask & 1 > 0, ~packed.good.numpy())
    np.testing.assert_array_equal(spectra.mask & 4 > 0, np.broadcast_to(~known, spectra.mask.shape))
    assert (spectra.mask[:, 100] & 2 > 0).all()
    np.testing.assert_array_equal((spectra.mask & 2 > 0).sum(axis=1), survey.table["n_clipped"])
    np.testing.assert_array_equal((spectra.mask == 0).sum(axis=1), survey.table["n_pix"])


def test_flux_and_ivar_are_those_of_the_shards(spectra, survey):
    packed = survey.packed.spectra(np.arange(N_STARS))
    np.testing.assert_array_equal(spectra.flux, packed.flux)
    np.testing.assert_array_equal(spectra.ivar, packed.ivar)


def test_the_model_is_the_emulator_at_the_labels(spectra, survey):
    labels = torch.from_numpy(survey.table[LABELS].to_numpy(np.float64))
    known = survey.emulator.flux_pca.good.numpy()
    expected = survey.emulator.flux(labels).numpy()
    np.testing.assert_allclose(spectra.model[:, known], expected[:, known], rtol=1e-6)
    assert np.isnan(spectra.model[:, ~known]).all()


def test_the_continuum_is_what_was_put_in(spectra):
    slope = np.linspace(0.97, 1.03, len(spectra.wave))
    assert np.abs(spectra.continuum - slope).max() < 0.02
    fitted = spectra.mask == 0
    residual = np.where(fitted, spectra.flux - spectra.model * spectra.continuum, np.nan)
    without = np.where(fitted, spectra.flux - spectra.model, np.nan)
    assert np.nanstd(residual) < 0.9 * np.nanstd(without)


@pytest.mark.parametrize(
    "metric",
    [plain_metric(), Metric(nuisance=replace(Metric().nuisance, continuum_degree=None))],
)
def test_without_a_continuum_it_is_one(survey, metric, tmp_path):
    ModelProduct().write(replace(survey, metric=metric), tmp_path, {})
    assert (read_models(tmp_path / "parquet").continuum == 1).all()


def test_a_star_that_could_not_be_measured_keeps_its_row(survey, tmp_path):
    lost = survey.table[list(survey.table)]
    lost.loc[3, LABELS] = np.nan
    lost.loc[3, CLIPPED.name] = ""
    table = ColumnTable.of(tmp_path / "table", [lost])
    ModelProduct().write(replace(survey, table=table), tmp_path, {})
    found = read_models(tmp_path / "parquet")
    assert np.isnan(found.model[3]).all() and np.isnan(found.continuum[3]).all()
    assert np.isfinite(found.continuum[[2, 4]]).all()


@pytest.mark.parametrize("size", [2, 3])
def test_how_many_processes_write_does_not_matter(survey, written, tmp_path, size):
    product = ModelProduct(("parquet", "fits"), rows=4)
    for rank in range(size):
        product.write(survey, tmp_path, {"a": "b"}, Crew(rank, size))
    assert contents(tmp_path) == contents(written)


def test_an_interrupted_product_goes_on_where_it_was(survey, written, tmp_path, monkeypatch):
    product = ModelProduct(("parquet", "fits"), rows=4)
    product.write(survey, tmp_path, {"a": "b"})
    (tmp_path / "parquet" / "part-000001.parquet").unlink()
    damaged = tmp_path / "fits" / "part-000002.fits"
    damaged.write_bytes(damaged.read_bytes()[:4000])
    with pytest.raises(CatalogueError, match="does not hold its stars"):
        product.demand_all(survey, tmp_path)
    made = []

    def models(self, place, found):
        made.append(place.start)
        return original(self, place, found)

    original = MeasuredSurvey.models
    monkeypatch.setattr(MeasuredSurvey, "models", models)
    product.write(survey, tmp_path, {"a": "b"})
    assert made == [4, 8]
    assert contents(tmp_path) == contents(written)


def test_how_many_are_in_memory_at_once_does_not_matter(survey, written, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    ModelProduct(rows=4).write(survey, tmp_path, {"a": "b"})
    some = read_models(tmp_path / "parquet")
    whole = read_models(written / "parquet")
    np.testing.assert_allclose(some.continuum, whole.continuum, rtol=1e-6)
    np.testing.assert_array_equal(some.mask, whole.mask)


@pytest.mark.parametrize(
    ("n_rows", "piece"), [(4, 3), (3, 4), (5, 5), (1, 2), (100, 3), (11, ROWS)]
)
def test_parts_do_not_follow_the_pieces_of_the_table(survey, monkeypatch, n_rows, piece):
    monkeypatch.setattr("torchfit.files.column_table.ROWS", piece)
    parts = list(survey.parts(n_rows))
    places = [number for place, _ in parts for number in range(place.start, place.stop)]
    assert places == list(range(N_STARS))
    assert [star for _, found in parts for star in found["star"]] == survey.star.tolist()
    assert {len(found) for _, found in parts[:-1]} <= {n_rows}


def test_finished_parts_appear_where_the_results_go(written, tmp_path):
    folder_writer(written / "parquet")(tmp_path / "models")
    assert contents(tmp_path / "models") == contents(written / "parquet")


@pytest.mark.parametrize(("formats", "rows"), [((), 5), (("hdf5",), 5), (("fits",), 0)])
def test_settings_without_sense(formats, rows):
    with pytest.raises(ConfigError, match=r"products\.models"):
        ModelProduct(formats, rows)
