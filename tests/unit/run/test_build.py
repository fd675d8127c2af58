from dataclasses import dataclass

import pytest
from hydra.errors import InstantiationException
from omegaconf import OmegaConf

from torchfit.exceptions import ConfigError
from torchfit.match.matched_sets import PriorIntervals
from torchfit.match.matching import Matching
from torchfit.run.build import build
from torchfit.survey.pack import Packing

MATCHING = "torchfit.match.matching.Matching"
PRIOR = "torchfit.match.matched_sets.PriorIntervals"
PACKING = "torchfit.survey.pack.Packing"
KERNEL = "torchfit.emulator.kernel.build_kernel"


def node(target, **values):
    """A node as it stands in the configuration, under the key ``top``."""
    return OmegaConf.create({"top": {"_target_": target, **values}}).top


def test_nodes_inside_nodes_are_built():
    built = build(node(MATCHING, t=3, prior={"_target_": PRIOR, "logg": 2.0}))
    assert built == Matching(3, prior=PriorIntervals(logg=2.0))


def test_a_partial_node_waits_for_the_rest():
    kernel = build(node(KERNEL, _partial_=True, ard=False, linear=False, lengthscale=2.5))(
        n_labels=3
    )
    assert kernel.base_kernel.lengthscale.tolist() == [[2.5]]


def test_a_mapping_without_a_target_is_a_mapping_of_what_is_inside():
    cfg = OmegaConf.create({"top": {"one": {"_target_": MATCHING, "t": 7}}})
    assert build(cfg.top) == {"one": Matching(7)}


def test_lists_are_plain_lists():
    windows = build(node(PACKING, windows=[[1.0, 2.0]])).windows
    assert type(windows) is type(windows[0]) is list


@pytest.mark.parametrize("value", [None, 2.5, "cube"])
def test_a_hint_with_several_types_takes_each(value):
    values = {"shape": "rbf", "lengthscale": value}
    if value == "cube":
        with pytest.raises(ConfigError, match=r"top\.lengthscale=cube must be of type float \| No"):
            build(node(KERNEL, _partial_=True, **values))
    else:
        assert callable(build(node(KERNEL, _partial_=True, **values)))


@pytest.mark.parametrize(
    ("target", "key", "value", "wanted"),
    [
        (MATCHING, "t", "many", "int"),
        (MATCHING, "t", 1.5, "int"),
        (MATCHING, "t", None, "int"),
        (MATCHING, "t", True, "int"),
        (PRIOR, "teff", "wide", "float"),
        (PRIOR, "teff", None, "float"),
        (PACKING, "windows", 3, "Sequence"),
        (PACKING, "windows", "3", "Sequence"),
        (PACKING, "windows", None, "Sequence"),
        (KERNEL, "ard", "no", "bool"),
        (KERNEL, "ard", 0, "bool"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_path(target, key, value, wanted):
    with pytest.raises(ConfigError, match=rf"^top\.{key}={value} must be of type {wanted}$"):
        build(node(target, **{key: value}))


def test_a_value_deep_inside_is_named_with_its_path():
    cfg = node(MATCHING, prior={"_target_": PRIOR, "logg": "high"})
    with pytest.raises(ConfigError, match=r"^top\.prior\.logg=high must be of type float$"):
        build(cfg)


@dataclass(frozen=True)
class Unchecked:
    """Not of torchfit, whose types the tests check more strictly than Python does."""

    size: float


def test_a_whole_number_will_do_for_a_float():
    assert build(node(f"{__name__}.Unchecked", size=2)) == Unchecked(2)
    with pytest.raises(ConfigError):
        build(node(f"{__name__}.Unchecked", size="2"))


def test_what_the_constructor_refuses_is_refused():
    with pytest.raises(InstantiationException) as caught:
        build(node(PACKING, shard_size=0))
    assert isinstance(caught.value.__cause__, ConfigError)
    assert "shard_size=0" in str(caught.value.__cause__)


def test_an_unknown_key_is_refused():
    with pytest.raises(InstantiationException, match="unexpected keyword argument"):
        build(node(PACKING, size=3))


def test_defaults_stay():
    assert build(node(PACKING)) == Packing()
