"""The fit of spectra of differing resolutions, those of one resolution at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.face.observed import Observed
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.measure.settings import FitSettings
from torchfit.spectra import Spectra, Spectrum


class FittersByResolution:
    """Measures spectra with an emulator at the resolution of each.

    Args:
        emulator: The emulator.
        settings: How to measure.
    """

    def __init__(self, emulator: Emulator, settings: FitSettings) -> None:
        self.emulator, self.settings = emulator, settings
        self._fitters: dict[bytes, BatchFitter] = {}

    def normalise(self, stars: Observed, spectra: Sequence[Spectrum]) -> Spectra:
        """Preprocess spectra as the emulator at the resolution of each does it.

        Args:
            stars: The same spectra.
            spectra: On the pixels of their files, with redshifts.

        Returns:
            On the emulator's grid, at rest, divided by their continua.
        """
        lsf_fwhm = self.emulator.library.lsf_fwhm
        pieces, places = [], []
        for fitter, place in self._parts(stars):
            some = [spectra[number] for number in place.tolist()]
            pieces.append(fitter.emulator.survey_preprocessor(some, lsf_fwhm=lsf_fwhm))
            places.append(place)
        return Spectra.joined(pieces)[torch.cat(places).argsort()]

    def measure(self, stars: Observed, spectra: Spectra) -> Measurement:
        """Measure normalised spectra."""
        star = torch.arange(len(spectra))
        whole = GroupBatch(star, torch.zeros_like(star), spectra)
        n_labels = len(self.emulator.label_names)
        result = Measurement.empty(whole, n_labels, self.settings.samples)
        for fitter, place in self._parts(stars):
            result = result.with_rows(place, fitter.measure(whole[place]))
        return result

    def models(self, stars: Observed, measured: Measurement) -> Float[Tensor, "star pix"]:
        """Model flux of every star at its own resolution; NaN where nothing is known."""
        n_pix = len(self.emulator.wave)
        models = torch.full((len(measured), n_pix), torch.nan, dtype=torch.float64)
        for fitter, place in self._parts(stars):
            flux = fitter.emulator.flux(measured.labels[place]).nan_to_num(torch.nan)
            models[place] = torch.where(fitter.emulator.flux_pca.good, flux, torch.nan)
        return models

    def velocities(
        self, stars: Observed, spectra: JointSpectra, measured: Measurement
    ) -> Float[np.ndarray, " exposure"]:
        """Residual velocity of every exposure at the labels of its star, in km/s."""
        found = torch.full((len(spectra.exposures),), torch.nan, dtype=torch.float64)
        for fitter, place in self._parts(stars):
            here = torch.isin(spectra.star, place).nonzero()[:, 0]
            star, emulator = spectra.star[here], fitter.emulator
            labels = measured.labels[star]
            clean = spectra.exposures[here].without(measured.clipped[star])
            model = emulator.flux(labels)
            found[here] = self.settings.metric.velocity(emulator, clean, labels, model)
        return found.numpy()

    def _parts(self, stars: Observed) -> Iterator[tuple[BatchFitter, Int[Tensor, " chosen"]]]:
        """Stars of one resolution, with the fitter of it, prepared at its first use."""
        keys = [b"" if width is None else width.tobytes() for width in stars.widths]
        for key in dict.fromkeys(keys):
            place = [number for number, other in enumerate(keys) if other == key]
            width = stars.widths[place[0]]
            if key not in self._fitters:
                lsf_fwhm = None if width is None else torch.from_numpy(width)
                emulator = self.emulator.at_resolution(lsf_fwhm)
                self._fitters[key] = BatchFitter(emulator, self.settings)
            yield self._fitters[key], torch.tensor(place)
