"""What every survey and library reader must keep; each reader's tests inherit it."""

import pickle

import numpy as np
import pytest

from torchfit.exceptions import SpectrumError
from torchfit.surveys.reader import SurveyReader

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the line that every fabricated spectrum has."""
PIXEL = 0.7
"""How far in Angstrom a pixel may lie from the line; in air it would be off by 1.36."""


class ReaderContract:
    """Tests of a reader over fabricated files; a subclass gives the fixture ``reader``."""

    @pytest.fixture
    def reader(self) -> SurveyReader:
        raise NotImplementedError

    @pytest.fixture
    def spectra(self, reader):
        return [reader.read(source) for source in reader.sources()]

    def test_has_a_name_and_a_resolution(self, reader):
        assert reader.name
        assert reader.lsf_fwhm is None or 0 < reader.lsf_fwhm < 20

    def test_sources_are_sorted_and_the_same_at_every_call(self, reader):
        sources = reader.sources()
        assert sources
        assert sources == sorted(set(sources))
        assert sources == reader.sources()

    def test_a_spectrum_knows_its_source(self, reader):
        for source in reader.sources():
            assert reader.read(source).info.source == source

    def test_arrays_are_native_float64(self, spectra):
        for spectrum in spectra:
            for array in (spectrum.wave, spectrum.flux, spectrum.ivar):
                assert array.dtype == np.float64
                assert array.dtype.isnative
                assert array.ndim == 1

    def test_good_pixels_are_finite(self, spectra):
        for spectrum in spectra:
            assert np.isfinite(spectrum.flux[spectrum.ivar > 0]).all()
            assert np.isfinite(spectrum.ivar).all()
            assert (spectrum.ivar >= 0).all()

    def test_ivar_without_errors_is_a_mask(self, spectra):
        for spectrum in spectra:
            assert spectrum.has_ivar or set(np.unique(spectrum.ivar)) <= {0.0, 1.0}

    def test_wavelengths_increase(self, spectra):
        for spectrum in spectra:
            assert (np.diff(spectrum.wave) > 0).all()

    def test_wavelengths_are_vacuum(self, spectra):
        for spectrum in spectra:
            near = (np.abs(spectrum.wave - H_BETA) < 30) & spectrum.good
            wave, flux = spectrum.wave[near], spectrum.flux[near]
            # Where no redshift is stated, the fabricated spectrum is at rest.
            rest = wave[np.argmin(flux)] / (1 + np.nan_to_num(spectrum.info.z))
            assert rest == pytest.approx(H_BETA, abs=PIXEL)

    def test_many_at_once_are_each_read_once(self, reader):
        sources = reader.sources()
        outcomes = list(reader.spectra(sources))
        assert sorted(source for source, _ in outcomes) == sources
        if not reader.sequential:
            assert [source for source, _ in outcomes] == sources
        for source, spectrum in outcomes:
            alone = reader.read(source)
            assert spectrum.info.source == source
            np.testing.assert_array_equal(spectrum.flux, alone.flux)
            np.testing.assert_array_equal(spectrum.ivar, alone.ivar)

    def test_a_missing_one_among_many_is_one_bad_spectrum(self, reader):
        source = reader.sources()[0]
        outcomes = dict(reader.spectra([source, "nowhere/missing.fits"]))
        assert isinstance(outcomes["nowhere/missing.fits"], SpectrumError)
        assert outcomes[source].info.source == source

    def test_a_part_reads_the_same(self, reader):
        sources = reader.sources()[:2]
        part = pickle.loads(pickle.dumps(reader.part(sources)))
        for source in sources:
            whole = reader.read(source)
            assert str(part.read(source).info) == str(whole.info)
            np.testing.assert_array_equal(part.read(source).flux, whole.flux)

    def test_pickles(self, reader):
        copy = pickle.loads(pickle.dumps(reader))
        assert copy.sources() == reader.sources()
        source = reader.sources()[0]
        np.testing.assert_array_equal(copy.read(source).flux, reader.read(source).flux)

    def test_a_missing_source_is_one_bad_spectrum(self, reader):
        with pytest.raises(SpectrumError, match="no such"):
            reader.read("nowhere/missing.fits")

    def test_provenance_is_text(self, reader):
        provenance = reader.provenance()
        assert provenance["reader"] == reader.name
        assert all(isinstance(text, str) for text in provenance.values())
