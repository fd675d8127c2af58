from dataclasses import replace

import pytest
import torch

from torchfit.exceptions import DataError
from torchfit.names import Label


def test_selects_by_mask_and_by_index(library):
    mask = torch.zeros(len(library), dtype=torch.bool)
    mask[[2, 5]] = True
    for choice in (mask, [2, 5]):
        chosen = library.select(choice)
        assert len(chosen) == len(chosen.spectra) == len(chosen.labels) == 2
        assert torch.equal(chosen.labels, library.labels[[2, 5]])
        assert torch.equal(chosen.spectra.flux, library.spectra.flux[[2, 5]])
        assert chosen.star_names == (library.star_names[2], library.star_names[5])
        assert torch.equal(chosen.lsf_fwhm, library.lsf_fwhm)


def test_selecting_by_index_keeps_the_order(library):
    assert torch.equal(library.select([7, 1]).labels, library.labels[[7, 1]])


def test_a_selection_may_be_empty(library):
    assert len(library.select(torch.zeros(len(library), dtype=torch.bool))) == 0


@pytest.mark.parametrize(
    "names",
    [
        ("logg", "teff", "fe_h"),
        ("teff", Label("m_h"), "logg"),
        ("teff", "logg", "logg"),
        ("logg", "fe_h", Label("vsini")),
    ],
)
def test_labels_out_of_order_are_refused(library, names):
    with pytest.raises(DataError, match="order"):
        replace(library, label_names=names)


def test_sizes_that_disagree_are_refused(library):
    with pytest.raises(DataError, match="as many"):
        replace(library, star_names=library.star_names[:-1])
    with pytest.raises(DataError, match="as many"):
        replace(library, labels=library.labels[:-1])
    with pytest.raises(DataError, match="as many"):
        replace(library, label_names=("teff", "logg"))


def test_a_label_that_torchfit_does_not_know_has_a_unit(library):
    names = ("teff", "logg", Label("vsini", "km/s"))
    assert replace(library, label_names=names).label_names[2].unit == "km/s"
    with pytest.raises(DataError, match="m_h have neither unit nor meaning"):
        replace(library, label_names=("teff", "logg", "m_h"))
