"""One source of defaults: what a class is without arguments is what the default presets compose."""

import dataclasses
import functools
import inspect
from collections.abc import Mapping, Sequence

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from torchfit.run.build import build
from torchfit.run.programs import conf_folder

GROUPS = (
    "catalogue",
    "data",
    "emulator",
    "flags",
    "group",
    "library",
    "match",
    "metric",
    "optimise",
    "pack",
    "preprocess",
    "trainer",
    "uncertainty",
    "velocity",
)
"""Groups whose default preset is what their classes are without arguments."""


@pytest.fixture(scope="module")
def presets():
    """The configuration of ``torchfit infer`` without a word more."""
    with initialize_config_dir(str(conf_folder()), version_base=None):
        whole = compose("infer", ["hydra.runtime.output_dir=results"], return_hydra_config=True)
    HydraConfig.instance().set_config(whole)
    return OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])


def differences(node, path):
    """The parameters, at any depth, whose default is another value than that of a node."""
    if not isinstance(node, DictConfig):
        return
    for name, value in node.items():
        yield from differences(value, f"{path}.{name}")
    for name, default in defaults_of(node).items():
        value = build(node[name]) if isinstance(node[name], DictConfig) else node[name]
        if not same(default, value):
            yield f"{path}.{name}: conf has {value}, the constructor {default}"


def defaults_of(node):
    """The default of every parameter of a node that has one."""
    if "_target_" not in node:
        return {}
    target = get_object(node["_target_"])
    parameters = inspect.signature(target).parameters.values()
    plain = {p.name: p.default for p in parameters if p.default is not p.empty and p.name in node}
    fields = dataclasses.fields(target) if dataclasses.is_dataclass(target) else ()
    made = {
        f.name: f.default_factory for f in fields if f.default_factory is not dataclasses.MISSING
    }
    return plain | {name: make() for name, make in made.items() if name in plain}


def same(a, b):
    """Whether two settings are equal; lists and tuples, objects of equal state are."""
    if isinstance(a, functools.partial) and isinstance(b, functools.partial):
        return a.func is b.func and same(a.keywords, b.keywords)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, str) or not isinstance(a, Sequence):
        return a == b or (type(a) is type(b) and hasattr(a, "__dict__") and same(vars(a), vars(b)))
    return isinstance(b, Sequence) and len(a) == len(b) and all(map(same, a, b))


@pytest.mark.parametrize("group", GROUPS)
def test_a_class_without_arguments_is_the_default_preset(presets, group):
    assert not list(differences(presets[group], group))


@pytest.mark.parametrize(
    ("change", "parameter"),
    [("match.t=7", "match.t"), ("flags.survey.snr.thresholds.M=1", "flags.survey.snr.thresholds")],
)
def test_another_default_would_be_seen(presets, change, parameter):
    group = change.partition(".")[0]
    changed = OmegaConf.merge(presets, OmegaConf.from_dotlist([change]))
    assert any(line.startswith(f"{parameter}: ") for line in differences(changed[group], group))


def test_a_list_is_a_tuple_and_no_more(presets):
    assert same([(1.0, 2.0)], ((1, 2),)) and same({"a": [1]}, OmegaConf.create({"a": [1]}))
    assert not same([1, 2], [1]) and not same("ab", ["a", "b"]) and not same({"a": 1}, {"b": 1})
