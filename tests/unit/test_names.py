import copy
import pickle

import pytest

from torchfit.names import LABELS, QUANTITIES, Label, label_of

VSINI = Label("vsini", "km/s", "Projected rotational velocity")


def test_a_label_is_the_text_of_its_name():
    assert VSINI == "vsini" and {"vsini": 1}[VSINI] == 1 and f"e_{VSINI}" == "e_vsini"
    assert ("teff", VSINI).index("vsini") == 1


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda label: pickle.loads(pickle.dumps(label))])
def test_copies_and_other_processes_know_unit_and_meaning(twin):
    label = twin(VSINI)
    assert (label, label.unit, label.text) == ("vsini", "km/s", VSINI.text)


def test_without_a_meaning_it_means_its_name():
    assert Label("c_fe").text == "c_fe" and Label("c_fe").unit == ""


def test_the_labels_of_torchfit_are_known_by_their_names():
    assert tuple(QUANTITIES) == LABELS
    assert label_of("teff").unit == "K" and label_of(VSINI) is VSINI
    with pytest.raises(KeyError):
        label_of("vsini")
