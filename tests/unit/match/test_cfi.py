from dataclasses import replace

import pytest
import torch

from torchfit.match.cfi import correlate


def test_a_spectrum_correlates_fully_with_itself(library, assert_close):
    spectra = library.spectra[:6]
    assert_close(correlate(spectra, spectra).diagonal(), torch.ones(6))


def test_it_lies_within_one_and_is_symmetric(masked_library, assert_close):
    cfi = correlate(masked_library.spectra, masked_library.spectra)
    assert (cfi.abs() <= 1).all()
    assert_close(cfi, cfi.mT)


def test_level_and_scale_do_not_matter(library, assert_close):
    stars = library.spectra[:4]
    changed = replace(stars, flux=0.3 + 2 * stars.flux)
    assert_close(correlate(changed, library.spectra), correlate(stars, library.spectra))


def test_a_mirrored_spectrum_anticorrelates(library, assert_close):
    stars = library.spectra[:4]
    mirrored = replace(stars, flux=2 - stars.flux)
    assert_close(correlate(mirrored, library.spectra), -correlate(stars, library.spectra))


def test_what_cannot_be_compared_is_least(library):
    stars = library.spectra[:5]
    flux, ivar = stars.flux.clone(), stars.ivar.clone()
    ivar[0] = 0
    ivar[1, 1:] = 0
    flux[2] = 1.0
    flux[3] = 0.7
    cfi = correlate(replace(stars, flux=flux, ivar=ivar), library.spectra)
    assert (cfi[:4] == -1).all()
    assert (cfi[4] > -1).all()


def test_masks_without_a_common_pixel_are_least(library):
    ivar = library.spectra.ivar.clone()
    ivar[0, :200] = 0
    ivar[1, 200:] = 0
    spectra = replace(library.spectra, ivar=ivar)
    assert correlate(spectra[:1], spectra[1:2]) == -1


def test_another_grid_is_refused(library):
    stars = library.spectra[:2]
    with pytest.raises(ValueError, match="grid"):
        correlate(replace(stars, wave=stars.wave + 0.5), library.spectra)
