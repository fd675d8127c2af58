from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from tests.metrics import plain_metric

from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.parts import read_part, write_part
from torchfit.exceptions import CatalogueError, ConfigError
from torchfit.group.grouping import Grouping
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.likelihood.noise import NodeNoise, nearest_node
from torchfit.match.matching import Matching
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.settings import FitSettings
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.report.choice import choose_examples
from torchfit.run.trainer import build_trainer
from torchfit.spectra import StarInfo
from torchfit.survey import noise
from torchfit.survey.devices import Devices
from torchfit.survey.fit import fit_survey
from torchfit.survey.match import match_survey
from torchfit.survey.noise import estimate_noise
from torchfit.survey.part_writer import part_path
from torchfit.survey.shards import shard_table, star_row, write_shard

N_STARS = 14
ONE, TWO = Devices(build_trainer), Devices(partial(build_trainer, devices=2))
FIRST = 100
"""The survey's numbers are not the places in its table: every second file was bad."""


@pytest.fixture(scope="module")
def fitter(emulator):
    optimisers = {"lm": LevenbergMarquardt(max_iterations=3)}
    grouping = Grouping(n_group=3, max_comp=2)
    return BatchFitter(emulator, FitSettings(Matching(t=10), grouping, plain_metric(), optimisers))


@pytest.fixture(scope="module")
def paths(tmp_path_factory, observe, draw_labels):
    """Two shards; subclasses of three classes and of none; two stars of the library."""
    folder = tmp_path_factory.mktemp("shards")
    spectra = observe(draw_labels(N_STARS, 5), 0.01, seed=5, masked=0.02)
    names = ["Star 11", "STAR 0012"] + [f"other {number}" for number in range(N_STARS - 2)]
    subclasses = (["G5", "K1", "F2", ""] * 4)[:N_STARS]
    rows = [
        star_row(FIRST + 2 * place, StarInfo(f"{place}.fits", name=name, subclass=subclass))
        for place, (name, subclass) in enumerate(zip(names, subclasses, strict=True))
    ]
    write_shard(folder / "0", shard_table(rows[:9], spectra[:9]))
    write_shard(folder / "1", shard_table(rows[9:], spectra[9:]))
    return [folder / "0", folder / "1"]


@pytest.fixture(scope="module")
def survey(paths, fitter, tmp_path_factory):
    return match_survey(paths, fitter, ONE, tmp_path_factory.mktemp("start"))


def known_of(survey):
    """What is known of all stars."""
    return survey.stars.rows(np.arange(len(survey.stars)))


@pytest.fixture(scope="module")
def known(survey):
    return known_of(survey)


def fit(survey, fitter, trainer, folder, batch_groups):
    parts = fit_survey(survey, fitter, Devices(trainer), folder, batch_groups)
    stars = survey.stars.number
    table = merge_parts(
        parts, stars, fitter.emulator.label_names, folder.with_name(f"{folder.name}-table")
    )
    return table[list(table)]


@pytest.fixture(scope="module")
def table(survey, fitter, tmp_path_factory):
    return fit(survey, fitter, build_trainer, tmp_path_factory.mktemp("parts"), 2)


def test_matching_keeps_what_is_known_of_the_stars(survey, known):
    assert list(survey.stars.number) == list(range(FIRST, FIRST + 2 * N_STARS, 2))
    assert known["source"][10] == "10.fits"


def test_stars_of_an_archive_come_in_the_order_of_their_numbers(paths, fitter, survey, tmp_path):
    """As those of the merged table do, which products set beside the spectra."""
    again = match_survey(paths[::-1], fitter, ONE, tmp_path)
    np.testing.assert_array_equal(again.stars.number, survey.stars.number)
    np.testing.assert_array_equal(again.matches, survey.matches)
    np.testing.assert_array_equal(again.group, survey.group)
    assert torch.equal(
        again.packed.spectra(np.arange(3)).flux, survey.packed.spectra(np.arange(3)).flux
    )


def test_classes_are_those_of_the_survey_or_of_the_start_labels(known):
    classes = known["spectral_class"]
    known = known["subclass"].str[:1]
    assert (classes[known != ""] == known[known != ""]).all()
    assert set(classes[known == ""]) <= {"M", "K", "G", "F", "A", "OB"}


def test_stars_of_the_library_are_recognised_by_name(known):
    assert known["in_library"].tolist() == [True, True] + [False] * (N_STARS - 2)


def test_groups_hold_stars_of_one_class(survey, known):
    for number in range(survey.group.max() + 1):
        members = survey.group == number
        assert 1 <= members.sum() <= 3
        assert known["spectral_class"][members].nunique() == 1


@pytest.mark.parametrize("at_once", [1, 4, 100])
def test_how_many_are_matched_at_once_does_not_matter(
    paths, fitter, survey, known, tmp_path, at_once
):
    again = match_survey(paths, fitter, replace(ONE, at_once=at_once), tmp_path)
    np.testing.assert_array_equal(again.group, survey.group)
    pd.testing.assert_frame_equal(known_of(again), known)


def test_matched_shards_are_not_matched_again(paths, fitter, survey, monkeypatch, tmp_path):
    match_survey(paths, fitter, ONE, tmp_path)
    (tmp_path / "0.npy").unlink()
    matched = []

    def match(self, spectra):
        matched.append(len(spectra))
        return original(self, spectra)

    original = BatchFitter.match
    monkeypatch.setattr(BatchFitter, "match", match)
    again = match_survey(paths, fitter, ONE, tmp_path)
    assert matched == [9]
    np.testing.assert_array_equal(again.group, survey.group)


@pytest.fixture
def set_threads():
    """``set_threads(n)``: torch has so many; as before afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.slow
def test_threads_and_processes_do_not_change_a_byte(paths, fitter, tmp_path, set_threads):
    """The last bits of a product depend on the threads that share it."""
    settings = replace(fitter.settings, metric=Metric(sharing=Sharing(min_stars=1)))
    shapes = []
    for name, n_threads, devices in [("one", 1, ONE), ("three", 3, ONE), ("two", 2, TWO)]:
        set_threads(n_threads)
        folder, shared = tmp_path / name, BatchFitter(fitter.emulator, settings)
        survey = match_survey(paths, shared, devices, folder / "start")
        shapes.append(estimate_noise(survey, shared, devices, folder / "noise"))
        shared = BatchFitter(fitter.emulator, settings, shapes[-1])
        assert len(fit_survey(survey, shared, devices, folder / "parts", 1)) > 3
        assert torch.get_num_threads() == n_threads
    files = [sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
             for name in ("one", "three", "two")]  # fmt: skip
    for others in files[1:]:
        assert [path.name for path in others] == [path.name for path in files[0]]
        for one, other in zip(files[0], others, strict=True):
            assert one.read_bytes() == other.read_bytes(), one.name
    assert all(torch.equal(shapes[0].log_variance, each.log_variance) for each in shapes)


def test_the_noise_is_that_of_all_stars_and_its_finished_nodes_are_kept(
    paths, fitter, survey, tmp_path
):
    shared = BatchFitter(fitter.emulator, FitSettings(metric=Metric(sharing=Sharing())))
    found = estimate_noise(survey, shared, ONE, tmp_path)
    node = nearest_node(found.nodes, torch.from_numpy(survey.matches[:, 0])).numpy()
    for number in np.unique(node):
        whole = NodeNoise.of(survey.packed.spectra(np.flatnonzero(node == number)))
        assert torch.equal(found.log_variance[number], whole.log_variance)
        assert torch.equal(found.n_stars[number], whole.n_stars)
    first, last = (noise.node_path(tmp_path, int(each)) for each in (node.min(), node.max()))
    np.save(last, np.ones_like(np.load(last)))
    first.unlink()
    again = estimate_noise(survey, shared, ONE, tmp_path)
    assert torch.equal(again.log_variance[node.min()], found.log_variance[node.min()])
    assert (again.log_variance[node.max()] == 1).all()


def test_a_star_without_start_labels_has_no_part_in_the_noise(paths, fitter, survey, tmp_path):
    shared = BatchFitter(fitter.emulator, FitSettings(metric=Metric(sharing=Sharing())))
    observed = replace(survey.observed, teff=np.full_like(survey.observed.teff, np.nan))
    unmatched = replace(survey, observed=observed)
    found = estimate_noise(unmatched, shared, ONE, tmp_path)
    assert (found.n_stars == 0).all()


def test_without_shared_matrices_no_noise_is_estimated(survey, fitter, tmp_path):
    assert estimate_noise(survey, fitter, ONE, tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_more_devices_than_batches_are_named(survey, fitter, table, tmp_path, caplog):
    found = fit(survey, fitter, partial(build_trainer, devices=2), tmp_path, 100)
    assert "fitting: 2 devices have 1 batches to share, and some nothing to do" in caplog.text
    pd.testing.assert_frame_equal(found, table, rtol=1e-7)


@pytest.mark.parametrize("at_once", [0, -1])
def test_how_many_stars_at_once_is_a_number(at_once):
    with pytest.raises(ConfigError, match="stars_at_once"):
        Devices(build_trainer, at_once=at_once)


@pytest.mark.slow
@pytest.mark.parametrize("n_left", [1, 2, 3])
def test_fewer_parts_left_than_devices(survey, fitter, table, tmp_path, n_left):
    fit(survey, fitter, build_trainer, tmp_path, 1)
    for path in sorted(tmp_path.iterdir())[:n_left]:
        path.unlink()
    again = fit(survey, fitter, partial(build_trainer, devices=2), tmp_path, 1)
    pd.testing.assert_frame_equal(again, table, rtol=1e-7)


def test_every_star_is_fitted_once_and_in_order(table, survey, known):
    assert list(table["star"]) == list(survey.stars.number)
    assert list(table["source"]) == list(known["source"])
    assert list(table["group"]) == survey.group.tolist()
    assert table[["teff", "logg", "fe_h"]].notna().all(axis=None)


def test_finished_parts_are_not_made_again(table, survey, fitter, tmp_path):
    fit(survey, fitter, build_trainer, tmp_path, 2)
    paths = sorted(tmp_path.iterdir())
    marked = read_part(paths[1]).assign(cfi=-5.0)
    write_part(paths[1], marked)
    paths[0].unlink()
    again = fit(survey, fitter, build_trainer, tmp_path, 2)
    touched = again["star"].isin(marked["star"])
    assert (again.loc[touched, "cfi"] == -5).all()
    pd.testing.assert_frame_equal(again[~touched], table[~touched])


def test_with_every_part_there_no_trainer_is_built(survey, fitter, tmp_path, table):
    fit(survey, fitter, build_trainer, tmp_path, 2)

    def no_trainer(**_):
        raise AssertionError("a trainer was built")

    again = fit(survey, fitter, no_trainer, tmp_path, 2)
    pd.testing.assert_frame_equal(again, table)


def test_a_part_of_other_stars_is_refused(survey, fitter, tmp_path):
    fit(survey, fitter, build_trainer, tmp_path, 2)
    part_path(tmp_path, 1).write_bytes(part_path(tmp_path, 0).read_bytes())
    with pytest.raises(CatalogueError, match=r"missing.*doubled"):
        fit(survey, fitter, build_trainer, tmp_path, 2)


@pytest.mark.parametrize("batch_groups", [1, 3, 50])
def test_batches_do_not_matter(survey, fitter, table, tmp_path, batch_groups):
    other = fit(survey, fitter, build_trainer, tmp_path, batch_groups)
    pd.testing.assert_frame_equal(other, table, rtol=1e-7)


def test_examples_are_the_middle_of_every_class_and_then_the_worst(table, survey, fitter):
    examples = choose_examples(table, survey, fitter.emulator, N_STARS)
    n_classes = table["spectral_class"].nunique()
    shown = table.set_index("star").loc[examples.star]
    assert shown["spectral_class"][:n_classes].nunique() == n_classes
    for name, star in zip(shown["spectral_class"][:n_classes], examples.star, strict=False):
        ranks = table[table["spectral_class"] == name].sort_values(["rchi2", "star"])["star"]
        assert list(ranks).index(star) == len(ranks) // 2
    worst = shown["rchi2"][n_classes:]
    assert worst.is_monotonic_decreasing
    assert len(set(examples.star)) == N_STARS


@pytest.mark.parametrize("n_examples", [1, 2, 5, 1000])
def test_no_more_examples_than_asked_for(table, survey, fitter, n_examples):
    examples = choose_examples(table, survey, fitter.emulator, n_examples)
    assert len(examples.star) == min(n_examples, N_STARS)


def test_an_example_is_the_star_with_its_model(table, survey, known, fitter):
    examples = choose_examples(table, survey, fitter.emulator, 3)
    place = [list(survey.stars.number).index(star) for star in examples.star]
    spectra = survey.packed.spectra(np.array(place))
    np.testing.assert_array_equal(examples.flux, spectra.flux)
    labels = table.set_index("star").loc[examples.star, ["teff", "logg", "fe_h"]].to_numpy(float)
    model = fitter.emulator.flux(torch.from_numpy(labels))
    np.testing.assert_allclose(examples.model, model, rtol=1e-12)
    np.testing.assert_array_equal(examples.ivar > 0, spectra.good)
    assert examples.title[0].startswith(known["name"][place[0]])


def test_what_the_emulator_does_not_know_is_no_model(table, survey, masked_emulator):
    known = masked_emulator.flux_pca.good
    examples = choose_examples(table, survey, masked_emulator, 2)
    assert np.isnan(examples.model[:, ~known]).all()
    assert np.isfinite(examples.model[:, known]).all()
    assert (examples.ivar[:, ~known] == 0).all()


def test_a_star_without_a_name_is_called_by_its_file(table, survey, fitter):
    nameless = table.assign(name="", source="folder/a.fits")
    assert choose_examples(nameless, survey, fitter.emulator, 1).title[0].startswith("a.fits ")


def test_a_survey_can_be_changed_only_as_a_whole(survey):
    with pytest.raises(AttributeError):
        survey.group = None
    assert len(replace(survey, group=survey.group[:3]).group) == 3
