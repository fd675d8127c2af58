"""Labels of single spectra, for notebooks: the survey's fit without a survey."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from torchfit.exceptions import OutsideLibraryWarning, SpectrumError
from torchfit.face.emulator import Emulator
from torchfit.face.result import FitResult
from torchfit.face.spectrum import Spectrum
from torchfit.flags.bits import ResultFlag
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.match.matching import Matching
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.measure.settings import FitSettings
from torchfit.spectra import Spectra
from torchfit.uncertainty.fisher import MeasuredLabels
from torchfit.velocity.redshifts import Redshifts, VelocityMeasurement
from torchfit.velocity.search import Velocities

SURVEY = FitSettings(matching=Matching(space="components"), metric=Metric(sharing=Sharing()))
"""The presets of a survey, metric=common and match=components."""


class Fitter:
    """Measures the labels of spectra with an emulator.

    Args:
        emulator: The emulator.
        settings: How to measure. The default is that of ``torchfit infer`` without its search of
            groups, which single spectra do not form: a hundred spectra a second and core;
            ``survey`` that of ``torchfit infer data=lamost_dr10``, five times faster: spectra of
            like temperature and noise share matrices.
        velocity: How velocities are measured; by default those of spectra whose ``z`` is not given.

    Examples:
        >>> import torchfit as tf
        >>> emulator = tf.load_emulator("outputs/train/miles/emulator")  # doctest: +SKIP
        >>> spectrum = tf.Spectrum(wave, flux, ivar, medium="air")  # doctest: +SKIP
        >>> result = tf.Fitter(emulator).fit(spectrum)  # doctest: +SKIP
        >>> result.teff, result.e_teff  # doctest: +SKIP
    """

    def __init__(
        self,
        emulator: Emulator,
        settings: FitSettings | Literal["default", "survey"] = "default",
        velocity: VelocityMeasurement | None = None,
    ) -> None:
        self.emulator = emulator
        self.velocity = VelocityMeasurement(when="missing") if velocity is None else velocity
        if isinstance(settings, str):
            settings = SURVEY if settings == "survey" else FitSettings()
        self.settings = settings
        self._fitters: dict[bytes, BatchFitter] = {}

    def __repr__(self) -> str:
        """A line."""
        optimisers = ", ".join(self.settings.optimisers) or "no optimiser"
        return f"<Fitter with {optimisers}, {self.emulator!r}>"

    def fit(self, spectra: Any) -> FitResult:
        """Measure one spectrum or several.

        Args:
            spectra: A :class:`torchfit.Spectrum`, a ``specutils.Spectrum`` in vacuum whose ``meta``
                says ``medium``, or a list of such.

        Returns:
            One result; its values are numbers for one spectrum, arrays for a list. Errors are
            calibrated on held-out stars of the library, where the emulator has learned them.

        Raises:
            SpectrumError: If one of them cannot be used, or has no pixel of the emulator's range.

        Warns:
            OutsideLibraryWarning: If too few library stars are near the labels of one.
        """
        one = not isinstance(spectra, Sequence)
        given = [_spectrum(each) for each in ([spectra] if one else spectra)]
        if not given:
            raise SpectrumError("there is no spectrum to fit: the list is empty")
        observed, velocities = self._settle(given)
        normalised = self._normalise(observed)
        measured = self._measure(observed, normalised)
        result = self._result(observed, normalised, measured, velocities)
        if (result.flags & ResultFlag.OUTSIDE_SUPPORT).any():
            warnings.warn(
                "a fit ended where too few library stars are: see the flag OUTSIDE_SUPPORT",
                OutsideLibraryWarning,
                stacklevel=2,
            )
        return result[0] if one else result

    @cached_property
    def _redshifts(self) -> Redshifts:
        return self.velocity.redshifts(self.emulator.trained)

    def _settle(self, given: Sequence[Spectrum]) -> tuple[list[Spectrum], Velocities]:
        """Spectra with the redshifts that bring them to rest, and what was measured for them."""
        windows = self.emulator.trained.preprocessor.masked_windows
        settled, velocities = self._redshifts.settle([each.read() for each in given], windows)
        for spectrum, found in zip(given, settled, strict=True):
            if not np.isfinite(found.info.z):
                low, high = self.emulator.wave[[0, -1]]
                raise SpectrumError(
                    f"{spectrum!r} has no good pixel within {low:.0f}-{high:.0f} Angstrom that a "
                    "template correlates with: use another emulator, check units, or give z"
                )
        pairs = zip(given, settled, strict=True)
        return [spectrum.at_redshift(found.info.z) for spectrum, found in pairs], velocities

    def _normalise(self, observed: Sequence[Spectrum]) -> Spectra:
        """On the emulator's grid, at rest, divided by the running median."""
        trained = self.emulator.trained
        spectra = trained.preprocessor(
            [spectrum.read() for spectrum in observed], lsf_fwhm=trained.library.lsf_fwhm
        )
        covered = (spectra.good & trained.flux_pca.good).any(dim=1)
        if not bool(covered.all()):
            spectrum = observed[int(covered.int().argmin())]
            low, high = self.emulator.wave[[0, -1]]
            raise SpectrumError(
                f"{spectrum!r} has no good pixel within {low:.0f}-{high:.0f} Angstrom, the range "
                "of the emulator at rest: use another emulator, or check units and redshift"
            )
        return spectra

    def _measure(self, observed: Sequence[Spectrum], spectra: Spectra) -> Measurement:
        """Measure all, those of one resolution at a time."""
        widths = [self._lsf_fwhm(spectrum) for spectrum in observed]
        keys = [b"" if width is None else width.tobytes() for width in widths]
        star = torch.arange(len(observed))
        whole = GroupBatch(star, torch.zeros_like(star), spectra)
        names = self.emulator.label_names
        result = Measurement.empty(whole, len(names), self.settings.samples)
        for key in dict.fromkeys(keys):
            place = torch.tensor([number for number, other in enumerate(keys) if other == key])
            fitter = self._fitter(key, widths[keys.index(key)])
            result = result.with_rows(place, fitter.measure(whole[place]))
        return result

    def _fitter(self, key: bytes, lsf_fwhm: np.ndarray | None) -> BatchFitter:
        """The fitter at a resolution, prepared at its first use."""
        if key not in self._fitters:
            trained = self.emulator.trained
            if lsf_fwhm is not None:
                trained = trained.at_resolution(torch.from_numpy(lsf_fwhm))
            self._fitters[key] = BatchFitter(trained, self.settings)
        return self._fitters[key]

    def _lsf_fwhm(self, spectrum: Spectrum) -> np.ndarray | None:
        """Resolution of a spectrum at the pixels of the emulator, at rest."""
        if spectrum.lsf_fwhm is None:
            return None
        at_rest, width = spectrum.wave / (1 + spectrum.z), spectrum.lsf_fwhm / (1 + spectrum.z)
        return np.interp(self.emulator.wave, at_rest, np.broadcast_to(width, at_rest.shape))

    def _result(
        self,
        observed: Sequence[Spectrum],
        spectra: Spectra,
        measured: Measurement,
        velocities: Velocities,
    ) -> FitResult:
        """Calibrated errors, models, and everything as numpy."""
        unknown = torch.full_like(measured.chi2, torch.nan)
        labels = MeasuredLabels(measured.labels, measured.errors)
        errors = self.emulator.errors.calibrate(labels, unknown)
        good = spectra.good & self.emulator.trained.flux_pca.good
        flux = torch.where(good, spectra.flux, torch.nan)
        unsure = self.settings.flagging.survey.velocity.is_beyond(
            velocities.error.numpy(), velocities.ratio.numpy()
        )
        flags = measured.flags | torch.from_numpy(unsure) * int(ResultFlag.UNSURE_VELOCITY)
        return FitResult(
            label_names=self.emulator.label_names,
            names=tuple(spectrum.name for spectrum in observed),
            measured=replace(measured, flags=flags),
            redshifts=np.array([spectrum.z for spectrum in observed]),
            velocities=velocities,
            errors=errors,
            wave=self.emulator.wave,
            flux=flux.numpy(),
            ivar=torch.where(good, spectra.ivar, 0.0).numpy(),
            model=self._models(observed, measured).numpy(),
        )

    def _models(self, observed: Sequence[Spectrum], measured: Measurement) -> torch.Tensor:
        """Model flux of every star at its own resolution; NaN where nothing is known."""
        rows = []
        for labels, spectrum in zip(measured.labels, observed, strict=True):
            width = self._lsf_fwhm(spectrum)
            key = b"" if width is None else width.tobytes()
            trained = self._fitters[key].emulator
            flux = trained.flux(labels[None]).nan_to_num(torch.nan)[0]
            rows.append(torch.where(trained.flux_pca.good, flux, torch.nan))
        return torch.stack(rows)


def _spectrum(given: Any) -> Spectrum:
    """A spectrum of ours, or one of specutils that says its medium."""
    if isinstance(given, Spectrum):
        return given
    if hasattr(given, "spectral_axis"):
        return Spectrum(given, medium=given.meta.get("medium"))
    raise SpectrumError(
        f"{type(given).__name__} is no spectrum: give torchfit.Spectrum(wave, flux, ivar, "
        'medium="vacuum")'
    )
