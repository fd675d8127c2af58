import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.column_table import ColumnTable
from torchfit.files.tensor_file import write_tensors
from torchfit.uncertainty.calibrated_survey import RANDOM_ERRORS, read_error_model
from torchfit.uncertainty.error_learning import ErrorLearning
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.uncertainty.repeats import visits_of
from torchfit.uncertainty.sampling import PosteriorSampling
from torchfit.uncertainty.selection import Selection
from torchfit.uncertainty.survey_errors import Uncertainty, measured_labels

THREE = ("teff", "logg", "fe_h")
N_PAIRS = 150


def survey(draw_labels, n_stars=N_PAIRS, seed=0):
    """Stars seen on two nights; model errors twice, noise three times as large as expected."""
    generator = torch.Generator().manual_seed(seed)
    scale = torch.tensor([50.0, 0.1, 0.08], dtype=torch.float64)
    truth = draw_labels(n_stars, seed)
    shared = truth + 2 * scale * torch.randn(n_stars, 3, generator=generator).double()
    own = scale * torch.randn(2 * n_stars, 3, generator=generator).double()
    labels = shared.repeat(2, 1) + 3 * 0.5 * own
    noise, total = 0.5 * scale, torch.hypot(scale, 0.5 * scale)
    table = pd.DataFrame({"star": np.arange(2 * n_stars), "source": "f", "name": ""})
    table["uid"] = [f"uid {number}" for number in range(n_stars)] * 2
    table["obsid"] = pd.array(np.arange(2 * n_stars), dtype="Int64")
    table["mjd"] = pd.array([1] * n_stars + [2] * n_stars, dtype="Int64")
    for place, name in enumerate(THREE):
        table[name] = labels[:, place].numpy()
        table[f"{name}_lit"] = truth[:, place].repeat(2).numpy()
        table[f"e_{name}"] = table[f"e_{name}_fisher"] = float(total[place])
        table[f"e_{name}_sys"], table[f"e_{name}_ran"] = float(scale[place]), float(noise[place])
    return table


SNR = np.full(2 * N_PAIRS, 30.0)


@pytest.fixture(scope="module")
def table(draw_labels):
    return survey(draw_labels)


@pytest.fixture(scope="module")
def taught(emulator):
    """An emulator whose library labels are found twice as badly as expected."""
    generator = torch.Generator().manual_seed(1)
    library = emulator.library
    scale = torch.tensor([50.0, 0.1, 0.08], dtype=torch.float64).expand(len(library), 3)
    labels = library.labels + 2 * scale * torch.randn(scale.shape, generator=generator).double()
    quiet = MeasuredLabels(labels, LabelErrors(scale.clone(), torch.zeros_like(scale)))
    return Uncertainty().learn(emulator.library, quiet, nothing(library.labels))


def nothing(labels):
    unknown = torch.full_like(labels, torch.nan)
    return MeasuredLabels(unknown, LabelErrors(unknown, unknown))


def test_both_parts_are_calibrated(table, taught):
    found = Uncertainty().calibrate(table, THREE, taught, SNR).table
    for name in THREE:
        assert (found[f"e_{name}_sys"] / table[f"e_{name}_sys"]).median() == pytest.approx(
            2, rel=0.3
        )
        assert (found[f"e_{name}_ran"] / table[f"e_{name}_ran"]).median() == pytest.approx(
            3, rel=0.3
        )
        total = np.hypot(found[f"e_{name}_sys"], found[f"e_{name}_ran"])
        np.testing.assert_allclose(found[f"e_{name}"], total)
        assert found[f"e_{name}_fisher"].equals(table[f"e_{name}_fisher"])


def test_intervals_are_columns_where_they_are_asked_for(table, taught):
    without = Uncertainty().calibrate(table, THREE, taught, SNR).table
    found = Uncertainty(intervals=True).calibrate(table, THREE, taught, SNR).table
    ends = ("lower95", "lower68", "upper68", "upper95")
    added = {f"{name}_{end}" for name in THREE for end in ends}
    assert set(found) - set(without) == added
    pd.testing.assert_frame_equal(found[list(without)], without)
    for name in THREE:
        truth = table[f"{name}_lit"]
        for width, share in (("68", 0.683), ("95", 0.95)):
            inside = truth.between(found[f"{name}_lower{width}"], found[f"{name}_upper{width}"])
            assert inside.mean() == pytest.approx(share, abs=0.07)
        half = found[f"{name}_upper68"] - found[name]
        np.testing.assert_allclose(half, found[f"e_{name}"], rtol=1e-6)


def test_an_emulator_without_a_model_leaves_errors_as_expected(table, emulator, caplog):
    caplog.set_level(logging.WARNING)
    found = Uncertainty(random=None).calibrate(table, THREE, LibraryErrors(), SNR).table
    assert "no model of its errors" in caplog.text
    for name in THREE:
        np.testing.assert_allclose(found[f"e_{name}"], table[f"e_{name}"])


def test_nothing_is_applied_that_was_switched_off(table, taught, emulator, caplog):
    caplog.set_level(logging.WARNING)
    off = Uncertainty(library=False, random=None)
    found = off.calibrate(table, THREE, taught, SNR)
    np.testing.assert_allclose(found.table["e_teff"], table["e_teff"])
    assert found.random is None
    assert caplog.text == ""
    labels = nothing(emulator.library.labels)
    assert off.learn(emulator.library, labels, labels) == LibraryErrors()


def test_random_errors_are_used_again_for_another_survey(table, taught, tmp_path, draw_labels):
    first = Uncertainty().calibrate(table, THREE, taught, SNR)
    assert list(first.keep_random(tmp_path)) == [RANDOM_ERRORS]
    few = survey(draw_labels, 3, seed=5)
    again = Uncertainty(random=str(tmp_path / RANDOM_ERRORS))
    again.check()
    found = again.calibrate(few, THREE, taught, np.full(6, 30.0)).table
    assert (found["e_teff_ran"] / few["e_teff_ran"]).median() == pytest.approx(3, rel=0.3)


def test_the_file_of_an_older_run_is_removed(table, taught, tmp_path):
    assert Uncertainty().calibrate(table, THREE, taught, SNR).keep_random(tmp_path)
    found = Uncertainty(random=None).calibrate(table, THREE, taught, SNR)
    assert found.keep_random(tmp_path) == {}
    assert not (tmp_path / RANDOM_ERRORS).exists()


def test_a_file_of_the_users_is_not(table, taught, tmp_path):
    (tmp_path / RANDOM_ERRORS).write_bytes(b"own")
    found = Uncertainty(random=None).calibrate(table, THREE, taught, SNR)
    assert found.keep_random(tmp_path) == {}
    assert (tmp_path / RANDOM_ERRORS).read_bytes() == b"own"


def test_a_survey_without_repeats_says_so_and_keeps_the_fishers_noise(table, taught, caplog):
    caplog.set_level(logging.WARNING)
    alone = table.iloc[:N_PAIRS].reset_index(drop=True)
    found = Uncertainty().calibrate(alone, THREE, taught, SNR[:N_PAIRS])
    assert "there are 0 pairs of repeat observations" in caplog.text
    assert found.random is None
    np.testing.assert_allclose(found.table["e_logg_ran"], alone["e_logg_ran"])


def test_two_rows_of_one_observation_are_no_repeat(table, taught, caplog):
    caplog.set_level(logging.WARNING)
    doubled = pd.concat([table.iloc[:50]] * 2, ignore_index=True)
    assert Uncertainty().calibrate(doubled, THREE, taught, SNR[:100]).random is None
    assert "there are 0 pairs" in caplog.text


def test_the_paper_has_no_total_without_repeats(table, emulator):
    """An unweighted fit expects no errors, so a random one would be invented."""
    blind = table.copy()
    blind[[c for c in table if c.startswith("e_")]] = np.nan
    paper, labels = Uncertainty(ErrorLearning(plain=True)), emulator.library.labels
    unknown = nothing(labels)
    taught = paper.learn(emulator.library, replace(unknown, labels=1.01 * labels), unknown)
    both = paper.calibrate(blind, THREE, taught, SNR).table
    assert (both[["e_teff", "e_logg", "e_fe_h"]] > 0).all(axis=None)
    alone = paper.calibrate(blind.iloc[:N_PAIRS], THREE, taught, SNR[:N_PAIRS]).table
    assert (alone["e_teff_sys"] > 0).all()
    assert alone["e_teff"].isna().all()


def test_a_star_with_unknown_labels_has_no_error(table, taught):
    holes = table.copy()
    holes.loc[3, ["teff", "logg", "fe_h"]] = np.nan
    holes.loc[3, [c for c in table if c.startswith("e_")]] = np.nan
    found = Uncertainty().calibrate(holes, THREE, taught, SNR).table
    assert found.loc[3, "e_teff"] != found.loc[3, "e_teff"]
    assert found.drop(index=3)["e_teff"].notna().all()


def test_errors_of_other_labels_are_refused(table, taught, tmp_path):
    model = Uncertainty().calibrate(table, THREE, taught, SNR).random
    two = replace(model, gps=model.gps[:2], tail=None)
    write_tensors(tmp_path / "x", two.state() | {"unit": torch.ones(2)})
    with pytest.raises(DataError, match="2 labels; this emulator has 3"):
        Uncertainty(random=str(tmp_path / "x")).calibrate(table, THREE, taught, SNR)


@pytest.mark.parametrize("content", [{"a": torch.zeros(2)}, None])
def test_a_file_that_is_no_error_model_is_told_at_once(tmp_path, content):
    path = tmp_path / "random"
    if content is not None:
        write_tensors(path, content)
    with pytest.raises((ConfigError, DataError), match="random"):
        Uncertainty(random=str(path)).check()
    with pytest.raises((ConfigError, DataError)):
        read_error_model(path)


def test_visits_are_told_apart_by_the_best_that_is_known():
    table = pd.DataFrame(
        {
            "uid": ["u", "", "u", "", "u", "u", "u", "u", "alone", ""],
            "name": ["a", "u", "b", "", "c", "d", "e", "f", "g", ""],
            "source": ["x", "y", "z", "z", "58000", "s", "s", "t", "v", "w"],
            "obsid": pd.array([5, 6, 7, 8, None, None, None, 6, 9, 9], dtype="Int64"),
            "mjd": pd.array([58000, None, 58000, 1, None, None, None, None, 2, 3], dtype="Int64"),
        }
    )
    visits = visits_of(table, np.ones(10))
    assert visits.row.tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert set(visits.star) == {"u"}
    nights = ["58000", "obsid 6", "58000", "file 58000", "file s", "file s", "obsid 6"]
    same = np.equal.outer(nights, nights)
    np.testing.assert_array_equal(np.equal.outer(visits.exposure, visits.exposure), same)


def test_visits_without_a_ratio_count_only_when_none_is_known():
    table = pd.DataFrame({"uid": ["u"] * 3, "name": "", "mjd": [1, 2, 3]})
    assert visits_of(table, np.array([1.0, np.nan, 2.0])).row.tolist() == [0, 2]
    assert visits_of(table, np.full(3, np.nan)).row.tolist() == [0, 1, 2]


def test_a_table_on_disk_is_calibrated_as_one_in_memory(table, taught, tmp_path, monkeypatch):
    """Whatever its pieces, one without any signal-to-noise ratio among them."""
    monkeypatch.setattr("torchfit.files.column_table.ROWS", 100)
    stored = ColumnTable.of(tmp_path, [table])
    snr = np.where(np.arange(2 * N_PAIRS) < 150, SNR, np.nan)
    for uncertainty in (Uncertainty(intervals=True), Uncertainty(ErrorLearning(plain=True))):
        memory, disk = (uncertainty.calibrate(each, THREE, taught, snr) for each in (table, stored))
        assert list(disk.table) == list(memory.table)
        pd.testing.assert_frame_equal(disk.table[list(memory.table)], memory.table)


def test_expected_errors_are_read_from_the_fits(table):
    measured = measured_labels(table, THREE)
    np.testing.assert_array_equal(measured.labels[:, 0], table["teff"])
    np.testing.assert_array_equal(measured.errors.model[:, 1], table["e_logg_sys"])
    np.testing.assert_array_equal(measured.errors.noise[:, 2], table["e_fe_h_ran"])


def test_what_noise_does_is_learned_and_comes_before_the_repeats(table, emulator, taught):
    """Labels of the library moved half as much as their noise; repeats of the survey thrice."""
    generator = torch.Generator().manual_seed(2)
    labels = emulator.library.labels
    noise = torch.tensor([25.0, 0.05, 0.04], dtype=torch.float64).expand(labels.shape).clone()
    moved = labels + 0.5 * noise * torch.randn(labels.shape, generator=generator).double()
    quiet = MeasuredLabels(labels, LabelErrors(2 * noise, torch.zeros_like(noise)))
    noisy = MeasuredLabels(moved, LabelErrors(2 * noise, noise))
    both = Uncertainty().learn(emulator.library, quiet, noisy)
    assert both.systematic is not None and both.noise is not None
    without = Uncertainty(random=None).calibrate(table, THREE, both, SNR).table
    assert (without["e_logg_ran"] / table["e_logg_ran"]).median() == pytest.approx(0.5, rel=0.3)
    found = Uncertainty().calibrate(table, THREE, both, SNR).table
    assert (found["e_logg_ran"] / table["e_logg_ran"]).median() == pytest.approx(3, rel=0.3)


def test_the_chosen_stars_are_numbers_of_the_survey(table, tmp_path):
    assert Uncertainty().chosen([table]) is None
    listed = tmp_path / "list.txt"
    listed.write_text("7\n11\n")
    sampling = PosteriorSampling(selection=Selection(listed=str(listed)))
    chosen = Uncertainty(posterior=sampling).chosen([table])
    assert chosen.tolist() == [7, 11]
    missing = replace(sampling, selection=Selection(listed=str(tmp_path / "nowhere")))
    with pytest.raises(ConfigError, match="nowhere"):
        Uncertainty(posterior=missing).check()
