import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from torchfit.paper.material import OURS, PAPER, UNGROUPED
from torchfit.run.build import build
from torchfit.run.programs import conf_folder
from torchfit.run.readings import (
    MEASURING,
    TRAINING,
    chosen,
    part_of,
    reading_of,
    sampled,
    with_tables,
)
from torchfit.surveys.sampled import ChosenReader, SampledReader


@pytest.fixture
def cfg():
    with initialize_config_dir(str(conf_folder()), version_base=None):
        whole = compose("reproduce", ["output_dir=x", "size=tiny"], return_hydra_config=True)
    HydraConfig.instance().set_config(whole)
    return OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])


def test_library_and_survey_are_sampled(cfg):
    some = sampled(cfg)
    assert isinstance(build(some.library.reader), SampledReader)
    assert len(build(some.data).sources()) <= cfg.size.n_survey
    assert "SampledReader" not in cfg.data._target_


def test_the_readings_differ_where_the_paper_does(cfg):
    ours, paper, alone = (reading_of(sampled(cfg), each) for each in (OURS, PAPER, UNGROUPED))
    assert "lm" in ours.optimise and list(paper.optimise) == ["bo"]
    assert (paper.group.n_group, alone.group.n_group) == (1000, 1)
    assert ours.library == paper.library and ours.emulator.kernel == paper.emulator.kernel
    assert paper.metric.weighted is False and ours.metric.weighted is True
    few, more = build(alone.data).sources(), build(paper.data).sources()
    assert set(few) < set(more) and len(few) <= cfg.size.n_trial


def test_only_catalogues_with_a_file_are_compared_with(cfg):
    known = with_tables(cfg, {"compare.lasp.path": "ours.csv", "figure.fig23.zams": "zams"})
    assert list(known.compare) == ["lasp"] and known.compare.lasp.path == "ours.csv"
    assert "pastel" in cfg.compare


def test_a_path_that_was_given_is_kept(cfg):
    cfg.compare.lasp.path = "theirs.csv"
    assert with_tables(cfg, {"compare.lasp.path": "ours.csv"}).compare.lasp.path == "theirs.csv"


def test_the_parts_are_those_of_the_programs(cfg, tmp_path):
    train, infer = (part_of(cfg, keys, tmp_path) for keys in (TRAINING, MEASURING))
    assert train.output_dir == infer.output_dir == str(tmp_path)
    assert train.overrides == [] and train.command.endswith("reproduce output_dir=x size=tiny")
    assert not infer.compare and not infer.crossmatch and "figure" not in train
    with initialize_config_dir(str(conf_folder()), version_base=None):
        own = compose("infer", ["output_dir=x"])
    assert set(own) - set(infer) <= {"experiment"}


def test_chosen_spectra_are_written_with_their_models(cfg):
    some = chosen(reading_of(cfg, OURS), ["mock:00000003"])
    reader = build(some.data)
    assert isinstance(reader, ChosenReader) and reader.sources() == ["mock:00000003"]
    assert list(some.products) == ["models"]
