"""Surveys on a device of little memory, which is simulated."""

import gc
import logging

import pandas as pd
import pytest
import torch
from tests.simulated.accelerator import build_trainer as on_device
from tests.simulated.memory import METER, ROOM, metered

from torchfit.catalogue.parts import read_parts
from torchfit.exceptions import DeviceMemoryError
from torchfit.group.grouping import Grouping
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.device import to_device
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.memory import MOST, bytes_per_star, free_memory, stars_that_fit
from torchfit.measure.settings import FitSettings
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.run.trainer import build_trainer
from torchfit.spectra import StarInfo
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey
from torchfit.survey.noise import estimate_noise
from torchfit.survey.shards import shard_table, star_row, write_shard

N_STARS = 60
SIM = torch.device("sim", 0)
METRICS = {"common": Metric(sharing=Sharing(min_stars=1)), "default": Metric()}


def fitter_of(emulator, metric="common"):
    lm = {"lm": LevenbergMarquardt()}
    matching, grouping = Matching(t=10, space="components"), Grouping(n_group=4, max_comp=2)
    return BatchFitter(emulator, FitSettings(matching, grouping, METRICS[metric], lm))


@pytest.fixture(scope="module")
def fitter(emulator):
    return fitter_of(emulator)


@pytest.fixture(scope="module")
def shard(tmp_path_factory, observe, draw_labels):
    path = tmp_path_factory.mktemp("shards") / "0"
    spectra = observe(draw_labels(N_STARS, 5), 0.01, seed=5, masked=0.02)
    rows = [star_row(star, StarInfo(f"{star}.fits", subclass="G")) for star in range(N_STARS)]
    write_shard(path, shard_table(rows, spectra))
    return path


def table_of(shard, fitter, devices, folder):
    """A survey through all its stages; twelve stars a batch."""
    survey = match_survey([shard], fitter, devices, folder / "start")
    noise = estimate_noise(survey, fitter, devices, folder / "noise")
    fitter = BatchFitter(fitter.emulator, fitter.settings, noise)
    parts = fit_survey(survey, fitter, devices, folder / "parts", batch_groups=3)
    assert len(parts) == 5
    return read_parts(parts).sort_values("star", ignore_index=True)


def assert_same(found, table):
    """Every star once, with its labels and errors; rounding may add a step to a search."""
    names = ["teff", "logg", "fe_h", "e_teff", "e_logg", "e_fe_h", "chi2"]
    assert found[["star", "source", "group", "flags", "n_pix"]].equals(
        table[["star", "source", "group", "flags", "n_pix"]]
    )
    pd.testing.assert_frame_equal(found[names], table[names], rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def table(shard, fitter, tmp_path_factory):
    return table_of(shard, fitter, Devices(build_trainer), tmp_path_factory.mktemp("cpu"))


@pytest.fixture(scope="module")
def of_emulator(fitter):
    """Bytes of the emulator on the device."""
    gc.collect()
    with metered() as meter:
        before = meter.used
        there = fitter.to(SIM)
        assert there.emulator.wave.device == SIM
        return meter.peak - before


@pytest.fixture
def room_for(monkeypatch):
    """``room_for(n_bytes)``: a device that has so many free."""

    def set_room(n_bytes):
        gc.collect()
        monkeypatch.setenv(ROOM, str(int(METER.used + n_bytes)))

    return set_room


@pytest.fixture(scope="module")
def peak_of(fitter, observe, draw_labels):
    """``peak_of(fitter, n_stars)``: bytes that matching and fit of so many stars take at most.

    And those of the tables that they leave behind.
    """

    def peak(fitter, n_stars):
        star = torch.arange(n_stars)
        batch = GroupBatch(star, star // 4, observe(draw_labels(n_stars, 5), 0.01, seed=5))
        with metered() as meter:
            there, batch = fitter.to(SIM), to_device(batch, SIM)
            bare = meter.used
            there.measure(batch)  # Makes the tables.
            ready = meter.peak = meter.used
            there.measure(batch)
            return meter.peak - ready, ready - bare

    return peak


@pytest.mark.parametrize("metric", METRICS)
def test_a_star_more_takes_no_more_than_is_expected(emulator, peak_of, metric):
    fitter = fitter_of(emulator, metric)
    per_star = (peak_of(fitter, 320)[0] - peak_of(fitter, 192)[0]) / 128
    assert bytes_per_star(fitter) / 5 < per_star <= bytes_per_star(fitter)


def test_with_memory_to_spare_several_batches_are_measured_together(
    shard, fitter, table, of_emulator, room_for, tmp_path, monkeypatch
):
    room_for(of_emulator + 200 * bytes_per_star(fitter))
    together = []

    def count(self, batch):
        together.append(len(batch))
        return measure(self, batch)

    measure = BatchFitter.measure
    monkeypatch.setattr(BatchFitter, "measure", count)
    found = table_of(shard, fitter, Devices(on_device), tmp_path)
    assert max(together) > 12
    assert_same(found, table)


def test_a_device_that_runs_out_of_memory_goes_on_with_half_the_stars(
    shard, fitter, table, peak_of, room_for, tmp_path, caplog
):
    """A setting asks for more than there is room for: less than it takes at its peak."""
    survey = match_survey([shard], fitter, Devices(build_trainer), tmp_path / "start")
    noise = estimate_noise(survey, fitter, Devices(build_trainer), tmp_path / "noise")
    fitter = BatchFitter(fitter.emulator, fitter.settings, noise)
    devices = Devices(on_device, at_once=N_STARS)
    gc.collect()
    with metered() as meter:
        before = meter.used
        fit_survey(survey, fitter, devices, tmp_path / "whole", batch_groups=15)
    room_for(meter.peak - before - peak_of(fitter, N_STARS)[0] // 3)
    with caplog.at_level(logging.WARNING):
        parts = fit_survey(survey, fitter, devices, tmp_path / "parts", batch_groups=15)
    assert "60 stars at once do not fit into the memory of the device: it goes on" in caplog.text
    assert_same(read_parts(parts).sort_values("star", ignore_index=True), table)


def test_one_star_that_does_not_fit_is_one_clear_line(
    shard, fitter, of_emulator, room_for, tmp_path
):
    of_noise = 8 * 13 * len(fitter.emulator.residuals.nodes) * (len(fitter.emulator.wave) + 1)
    room_for(of_emulator + of_noise + 20_000)
    with pytest.raises(DeviceMemoryError, match="one star does not fit into the memory") as caught:
        table_of(shard, fitter, Devices(on_device), tmp_path)
    assert "\n" not in str(caught.value)


def test_an_emulator_that_does_not_fit_is_one_clear_line(
    shard, fitter, of_emulator, room_for, tmp_path
):
    room_for(of_emulator // 2)
    with pytest.raises(DeviceMemoryError, match="the emulator does not fit into the free memory"):
        table_of(shard, fitter, Devices(on_device), tmp_path)


@pytest.mark.parametrize(
    ("room", "stars"), [(0, 1), (999, 1), (2000, 1), (20_000, 10), (10**12, MOST)]
)
def test_half_of_the_free_memory_is_for_the_stars(room_for, room, stars):
    room_for(room)
    assert stars_that_fit(SIM, 1000) == stars


def test_a_device_that_does_not_say_what_is_free(monkeypatch):
    monkeypatch.delenv(ROOM, raising=False)
    for device in (SIM, torch.device("cpu")):
        assert free_memory(device) is None
        assert stars_that_fit(device, 1000) is None


@pytest.mark.parametrize("at_once", [7, 1000])
def test_a_setting_says_how_many_stars_are_computed_at_once(
    shard, fitter, table, tmp_path, at_once
):
    found = table_of(shard, fitter, Devices(build_trainer, at_once=at_once), tmp_path)
    assert_same(found, table)
