from unittest.mock import Mock

import numpy as np
import pytest
import torch

from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import FitModule
from torchfit.spectra import StarInfo
from torchfit.survey.datamodule import (
    GroupDataset,
    PackedSurvey,
    SampleDataset,
    ShardDataset,
    SurveyDataModule,
)
from torchfit.survey.shards import shard_table, star_row, write_shard

SIZES = (4, 1, 6)
GROUP = np.array([2, 0, 1, 0, 4, 3, 0, 2, 1, 4, 3])


@pytest.fixture
def spectra(observe, draw_labels):
    return observe(draw_labels(sum(SIZES), 0), 0.01, masked=0.05)


@pytest.fixture
def survey(tmp_path, spectra):
    paths, first = [], 0
    for number, size in enumerate(SIZES):
        rows = [star_row(star, StarInfo(f"{star}")) for star in range(first, first + size)]
        paths.append(tmp_path / f"shard-{number}")
        write_shard(paths[-1], shard_table(rows, spectra[slice(first, first + size)]))
        first += size
    return PackedSurvey.of(paths, spectra.wave)


def assert_same(read, written):
    """To half precision; what stands in bad pixels is not kept."""
    good = written.good
    assert torch.equal(read.good, good)
    torch.testing.assert_close(read.flux[good].double(), written.flux[good], rtol=0, atol=3e-4)


def test_stars_lie_in_the_order_of_the_shards(survey):
    assert survey.shard.tolist() == [0] * 4 + [1] + [2] * 6
    assert survey.row.tolist() == [0, 1, 2, 3, 0, 0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("star", [[0], [10, 0, 4], [3, 2, 1, 0], [5, 5, 1], range(11)])
def test_spectra_come_in_the_order_asked_for(survey, spectra, star):
    read = survey.spectra(np.array(star))
    assert_same(read, spectra[torch.tensor(list(star))])
    assert read.has_ivar.all()


@pytest.mark.parametrize("batch_groups", [1, 2, 3, 5, 100])
def test_batches_are_whole_groups_and_every_star_once(survey, batch_groups):
    dataset = GroupDataset(survey, GROUP, batch_groups)
    batches = [dataset[index].read() for index in range(len(dataset))]
    assert len(batches) == -(-5 // batch_groups)
    assert sorted(torch.cat([batch.star for batch in batches]).tolist()) == list(range(11))
    for batch in batches:
        assert batch.group.tolist() == GROUP[batch.star.numpy()].tolist()
        assert batch.group.tolist() == sorted(batch.group.tolist())
        assert set((batch.group // batch_groups).tolist()) == {batch.number}
        assert len(batch.spectra) == len(batch.star)


def test_stars_of_a_group_stay_in_the_order_of_the_survey(survey):
    batch = GroupDataset(survey, GROUP, 5).read(0)
    assert batch.star.tolist() == [1, 3, 6, 2, 8, 0, 7, 5, 10, 4, 9]


def test_a_batch_has_the_spectra_of_its_stars(survey, spectra):
    batch = GroupDataset(survey, GROUP, 2).read(1)
    assert_same(batch.spectra, spectra[batch.star])


def test_batches_that_are_done_are_left_out_and_the_others_stay_the_same(survey):
    whole = GroupDataset(survey, GROUP, 2)
    rest = GroupDataset(survey, GROUP, 2, done=[1])
    assert len(rest) == 2
    assert [rest[index].number for index in range(2)] == [0, 2]
    one, other = rest[1].read(), whole[2].read()
    assert torch.equal(one.star, other.star)
    assert torch.equal(one.spectra.flux, other.spectra.flux)


def test_a_batch_says_how_many_stars_it_has_before_it_is_read(survey):
    dataset = GroupDataset(survey, GROUP, 2)
    assert [len(dataset[index]) for index in range(3)] == [5, 4, 2]
    assert [len(dataset.read(number)) for number in range(3)] == [5, 4, 2]


def test_the_loader_hands_out_the_batches_in_order(survey):
    dataset = GroupDataset(survey, GROUP, 2)
    loaded = list(SurveyDataModule(dataset).predict_dataloader())
    assert [[batch.number for batch in batches] for batches in loaded] == [[0], [1], [2]]
    assert torch.equal(loaded[1][0].read().star, dataset.read(1).star)


@pytest.mark.parametrize(("most", "numbers"), [(None, 3), (3, 1), (11, 2), (1000, 200)])
def test_as_many_batches_as_a_device_has_room_for_come_together(survey, most, numbers):
    """Of the three batches of two groups the largest has five stars."""
    module = SurveyDataModule(GroupDataset(survey, GROUP, 2))
    fit = FitModule(Mock(BatchFitter), most)
    strategy = Mock(root_device=torch.device("cpu"))
    module.trainer = Mock(lightning_module=fit, strategy=strategy, global_rank=0, world_size=1)
    loader = module.predict_dataloader()
    assert loader.batch_size == numbers
    loaded = [batch for batches in loader for batch in batches]
    assert [batch.number for batch in loaded] == [0, 1, 2]


def test_shards_that_are_left_are_batches(survey, spectra):
    dataset = ShardDataset(survey.paths, spectra.wave, [0, 2], SIZES)
    assert (len(dataset), dataset.most) == (2, 6)
    batch = dataset[1].read()
    assert (batch.number, len(batch)) == (2, 6)
    assert_same(batch.spectra, spectra[torch.arange(5, 11)])


def test_a_sample_of_stars(survey, spectra):
    dataset = SampleDataset(survey, [np.array([0, 3]), np.array([9, 5, 1])], [1])
    assert (len(dataset), dataset.most) == (1, 3)
    batch = dataset[0].read()
    assert batch.number == 1
    assert_same(batch.spectra, spectra[torch.tensor([9, 5, 1])])
