import inspect
import math

import pytest

from torchfit.catalogue.schema import catalogue_columns
from torchfit.exceptions import ConfigError
from torchfit.face.emulator import Emulator
from torchfit.face.result import FitResult
from torchfit.library.labels import LabelDescription, described, labels_of

THREE = ("teff", "logg", "fe_h")
VSINI = {"vsini": {"unit": "km/s", "text": "Rotation", "range": [0, 400]}}


def test_the_labels_of_torchfit_come_first_and_in_their_order():
    names = ("c_fe", "fe_h", "vsini", "alpha_fe", "teff", "logg")
    assert labels_of(names, {}) == ("teff", "logg", "fe_h", "alpha_fe", "c_fe", "vsini")


def test_what_is_said_of_a_label_is_known_of_it():
    label = labels_of((*THREE, "vsini"), described(VSINI))[3]
    assert (label.unit, label.text) == ("km/s", "Rotation")
    assert described({"c_fe": {"unit": "dex"}})["c_fe"].unit == "dex"
    assert described({"c_fe": {}})["c_fe"].range == (-math.inf, math.inf)


@pytest.mark.parametrize(
    "name",
    [
        "1x",
        "v sini",
        "Vsini",
        "e_x",
        "x_start",
        "x_lit",
        "x_upper95",
        "lambda",
        "v-sini",
        "",
        "ﬁ",
        "flux",
    ],
)
def test_a_name_that_cannot_be_one_is_one_line(name):
    with pytest.raises(ConfigError, match="cannot be the name of a label") as raised:
        labels_of((*THREE, name), {})
    assert "\n" not in str(raised.value)


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def test_attributes_of_results_and_arguments_of_emulators_are_no_names_of_labels():
    taken = public(FitResult) | set(FitResult.__dataclass_fields__)
    for method in (Emulator.predict, Emulator.plot, Emulator._rows):
        parameters = inspect.signature(method).parameters.values()
        taken |= {each.name for each in parameters if each.kind is not each.VAR_POSITIONAL}
    taken -= {"named"}  # Collects the labels themselves.
    for name in sorted(taken):
        with pytest.raises(ConfigError, match="cannot be the name"):
            labels_of((*THREE, name), {})


def test_columns_of_other_labels_are_no_names_of_labels():
    """``logg_start`` could be the start value of ``logg`` or a label."""
    of_logg = [
        column.name
        for column in catalogue_columns(THREE, sampled=True, intervals=True)
        if column.name.startswith("logg_") and column.name != "logg_imig"
    ]
    assert {"logg_start", "logg_group", "logg_upper95"} <= set(of_logg)
    for name in of_logg:
        with pytest.raises(ConfigError, match="cannot be the name"):
            labels_of((*THREE, name.replace("logg", "vsini")), {})


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("teff", "logg"), "fe_h missing"),
        (("logg", "fe_h", "vsini"), "teff missing"),
        ((*THREE, "teff"), "one stands twice"),
    ],
)
def test_a_set_of_labels_that_cannot_be_is_refused(names, reason):
    with pytest.raises(ConfigError, match=reason):
        labels_of(names, {})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"unit": "parsnip"}, "no unit 'parsnip'"),
        ({"text": "größte"}, "in ASCII"),
        ({"range": [2, 1]}, "lowest, highest"),
        ({"range": [1]}, "lowest, highest"),
        ({"colour": "red"}, "give unit, text, range"),
        ("km/s", "give unit, text, range"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(entry, reason):
    with pytest.raises(ConfigError, match=reason):
        described({"vsini": entry})


def test_a_description_of_no_label_is_refused():
    with pytest.raises(ConfigError, match=r"describes vsini, which library\.cuts\.label_names"):
        labels_of(THREE, {"vsini": LabelDescription()})
