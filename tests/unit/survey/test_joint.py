from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from tests.metrics import plain_metric

from torchfit.catalogue.merge import merge_parts
from torchfit.group.grouping import Grouping
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.match.matching import Matching
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.products.exposures import exposure_table, exposures_product
from torchfit.products.measured import MeasuredSurvey
from torchfit.run.trainer import build_trainer
from torchfit.spectra import StarInfo
from torchfit.survey import joint as joining
from torchfit.survey.crew import Crew
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.joint import join_exposures
from torchfit.survey.match import match_survey
from torchfit.survey.noise import estimate_noise
from torchfit.survey.shards import Shard, shard_table, star_row, write_shard

NAMES = "abcadeaba"
"""Stars of the spectra: a has three exposures and a copy, b has two."""
LEFT_OUT = [8, 11]
"""The copy, and a reject that stands in no shard."""
ONE = Devices(build_trainer)


@pytest.fixture(scope="module")
def spectra(observe, draw_labels):
    star = torch.tensor(["abcdef".index(name) for name in NAMES])
    return observe(draw_labels(6, 5)[star], 0.01, seed=5, masked=0.02)


@pytest.fixture(scope="module")
def paths(tmp_path_factory, spectra):
    folder = tmp_path_factory.mktemp("shards")
    infos = [
        StarInfo(
            f"{n}.fits", uid=uid, obsid=2**60 + n, snr={"g": 3.0 + n}, labels={"teff": float(n)}
        )
        for n, uid in enumerate(NAMES)
    ]
    rows = [star_row(number, info) for number, info in enumerate(infos)]
    write_shard(folder / "0", shard_table(rows[:4], spectra[:4]))
    write_shard(folder / "1", shard_table(rows[4:], spectra[4:]))
    return [folder / "0", folder / "1"]


@pytest.fixture(scope="module")
def fitter(emulator):
    optimisers = {"lm": LevenbergMarquardt(max_iterations=5)}
    return BatchFitter(
        emulator, FitSettings(Matching(t=10), Grouping(n_group=3), plain_metric(), optimisers)
    )


@pytest.fixture(scope="module")
def joined(paths, emulator, tmp_path_factory):
    return join_exposures(paths, emulator.wave, LEFT_OUT, tmp_path_factory.mktemp("joint"))


@pytest.fixture(scope="module")
def survey(paths, fitter, joined, tmp_path_factory):
    start = tmp_path_factory.mktemp("start")
    return match_survey(paths, fitter, ONE, start, LEFT_OUT, joined)


def test_stars_of_several_exposures_are_found_in_the_order_of_the_first(joined):
    assert joined.members.tolist() == [0, 3, 6, 1, 7]
    assert joined.count.tolist() == [3, 2]


def test_a_row_of_the_survey_is_a_star(survey):
    """Numbers of coadds follow those of all spectra, the reject that stands in no shard too."""
    known = survey.stars.rows(np.arange(5))
    assert known["star"].tolist() == survey.stars.number.tolist() == [2, 4, 5, 12, 13]
    assert known["n_exposures"].tolist() == [1, 1, 1, 3, 2]
    assert known["uid"].tolist() == list("cdeab")
    assert len(survey.group) == len(survey.matches) == 5


def test_what_is_known_of_a_star_is_of_its_best_exposure(survey, spectra):
    best = max([0, 3, 6], key=lambda n: float(spectra.ivar[n].sum()))
    row = survey.stars.rows(np.array([4, 3])).iloc[1]
    assert (row["source"], row["obsid"]) == (f"{best}.fits", 2**60 + best)
    assert row["teff_lit"] == best
    assert row["snr_g"] == pytest.approx(np.sqrt(3.0**2 + 6.0**2 + 9.0**2))
    assert np.isnan(row["snr_r"])


def test_a_batch_brings_the_exposures(survey, spectra):
    batch = survey.packed.with_exposures(np.array([4, 0, 3]))
    assert isinstance(batch, JointSpectra)
    assert batch.n_exposures.tolist() == [2, 1, 3]
    expected = spectra[torch.tensor([1, 7, 0, 3, 6])]
    assert torch.equal(batch.exposures.good, expected.good)
    near, flux = {"atol": 1e-3, "rtol": 0.0}, batch.exposures.flux.double()
    torch.testing.assert_close(flux[expected.good], expected.flux[expected.good], **near)
    whole = JointSpectra.of(batch.exposures, batch.star - torch.tensor([0, 0, 1, 1, 1]))
    coadds = batch.flux[[0, 2]].double()
    torch.testing.assert_close(coadds[whole.good], whole.flux[whole.good], **near)
    singles = survey.packed.with_exposures(np.array([0, 2]))
    assert singles.n_exposures.tolist() == [1, 1]


def test_the_noise_is_that_of_all_spectra(paths, survey, emulator, tmp_path):
    """It does not depend on which of them are fitted together."""
    shared = BatchFitter(emulator, FitSettings(metric=Metric(sharing=Sharing())))
    plain = match_survey(paths, shared, ONE, tmp_path / "start", LEFT_OUT)
    shapes = [
        estimate_noise(each, shared, ONE, tmp_path / name)
        for name, each in (("joint", survey), ("plain", plain))
    ]
    assert torch.equal(shapes[0].log_variance, shapes[1].log_variance)
    assert torch.equal(shapes[0].n_stars, shapes[1].n_stars)


@pytest.fixture(scope="module")
def measured(survey, fitter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    parts = fit_survey(survey, fitter, ONE, folder / "parts", 2)
    star = survey.stars.number
    table = merge_parts(parts, star, fitter.emulator.label_names, folder / "table")
    return MeasuredSurvey(survey.packed, star, table, fitter.emulator, fitter.settings.metric)


def test_every_star_is_measured_once(measured):
    table = measured.table[["star", "n_exposures", "teff", "n_pix"]]
    assert table["star"].tolist() == [2, 4, 5, 12, 13]
    assert table["n_exposures"].tolist() == [1, 1, 1, 3, 2]
    assert table["teff"].notna().all()
    assert table["n_pix"].to_numpy()[3] > 2 * table["n_pix"].to_numpy()[0]


def test_the_exposures_of_a_star_have_rows_of_their_own(measured, joined):
    table = exposure_table(measured, measured.packed.exposures)
    assert table["star"].tolist() == [12, 12, 12, 13, 13]
    assert table["source"].tolist() == [f"{number}.fits" for number in joined.members]
    assert table["obsid"].tolist() == [2**60 + number for number in joined.members]
    assert table["v_rad"].isna().all()  # This metric has no velocity.
    assert list(exposures_product(measured)) == ["exposures.parquet"]


def test_without_repeats_everything_is_as_it_was(paths, fitter, emulator, measured, tmp_path):
    alone = [number for number, name in enumerate(NAMES) if NAMES.index(name) != number]
    joined = join_exposures(paths, emulator.wave, alone, tmp_path / "joint")
    assert (len(joined.paths), len(joined.members)) == (0, 0)
    surveys = [
        match_survey(paths, fitter, ONE, tmp_path / "start", alone, each) for each in (joined, None)
    ]
    known = [each.stars.rows(np.arange(len(each.stars))) for each in surveys]
    pd.testing.assert_frame_equal(*known)
    assert surveys[0].packed.exposures is None
    assert exposures_product(replace(measured, packed=surveys[0].packed)) == {}


def test_coadds_are_the_same_however_many_make_them(paths, emulator, joined, tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "AT_ONCE", 1)
    monkeypatch.setattr(Crew, "meet", lambda self: None)
    written = [
        join_exposures(paths, emulator.wave, LEFT_OUT, folder, crew).paths
        for folder, crew in (
            (tmp_path / "one", Crew()),
            (tmp_path / "two", Crew(0, 2)),
            (tmp_path / "two", Crew(1, 2)),
        )
    ]
    for one, two in zip(written[0], written[2], strict=True):
        assert one.read_bytes() == two.read_bytes()
    stars = pd.concat([Shard(path).info() for path in written[0]])["star"].tolist()
    assert stars == Shard(joined.paths[0]).info()["star"].tolist()
