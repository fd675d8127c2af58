"""Figures and sizes are their constructors, and every figure can be chosen alone."""

import inspect
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object
from omegaconf import OmegaConf

from torchfit.paper.figure import PaperFigure
from torchfit.paper.size import Size
from torchfit.run.build import build

CONF = Path(__file__).parents[2] / "conf"
FIGURES = sorted(path.stem for path in CONF.glob("figure/*.yaml"))
SIZES = sorted(path.stem for path in CONF.glob("size/*.yaml"))


def composed(*overrides):
    with initialize_config_dir(str(CONF), version_base=None):
        whole = compose("reproduce", ["output_dir=x", *overrides], return_hydra_config=True)
    HydraConfig.instance().set_config(whole)
    return OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])


def demand_constructor(node):
    parameters = inspect.signature(get_object(node["_target_"])).parameters
    assert set(node) - {"_target_"} == set(parameters)


def test_all_figures_are_made_unless_some_are_chosen():
    assert sorted(set(composed().figure) - {"formats"}) == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_its_constructor_and_stands_alone(name):
    cfg = composed(f"figure=[{name}]", "figure.formats=[pdf]")
    assert set(cfg.figure) == {name, "formats"} and cfg.figure.formats == ["pdf"]
    demand_constructor(cfg.figure[name])
    figure = build(cfg.figure[name])
    assert isinstance(figure, PaperFigure)
    assert figure.number and figure.title


@pytest.mark.parametrize("name", SIZES)
def test_a_size_is_its_constructor(name):
    cfg = composed(f"size={name}")
    demand_constructor(cfg.size)
    assert isinstance(build(cfg.size), Size)
    figures = [node for key, node in cfg.figure.items() if key != "formats"]
    assert all(isinstance(build(node), PaperFigure) for node in figures)


def test_the_small_size_is_the_default():
    """Of the sizes, and of the figures, whose constructors have the same numbers."""
    cfg = composed()
    for node in (cfg.size, *(node for name, node in cfg.figure.items() if name != "formats")):
        made = build(node)
        parameters = inspect.signature(type(made)).parameters.values()
        for each in (each for each in parameters if each.default is not each.empty):
            value = getattr(made, each.name)
            if value == {}:
                continue
            assert (tuple(value) if isinstance(value, list) else value) == each.default, each


def test_the_readings_of_the_paper_are_those_of_the_experiment():
    cfg = composed()
    groups = list(cfg.readings.paper)
    for group in groups:
        cfg[group] = cfg.readings.paper[group]
    with initialize_config_dir(str(CONF), version_base=None):
        paper = compose("infer", ["output_dir=x", "experiment=paper"], return_hydra_config=True)
    for group in groups:
        assert cfg[group] == paper[group], group
