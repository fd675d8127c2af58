"""A trained emulator: everything that turns labels into flux, and a survey into labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.flux_pca import FluxPCA
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.local_covariance import LocalCovariance, LocalVariance
from torchfit.emulator.reconstruct import Reconstruction, SurveyPreprocessor
from torchfit.exceptions import ConfigError
from torchfit.library.library import Library
from torchfit.library.scaling import LabelScaler
from torchfit.names import FWHM_PER_SIGMA, WIDEST_LSF
from torchfit.preprocess.compose import Preprocessor
from torchfit.preprocess.resolution import SAME, broaden


@dataclass(frozen=True)
class Emulator:
    r"""Flux from labels, :math:`F(x) = \mu + B\,s \circ \bar f(x)`.

    Args:
        preprocessor: The preprocessing of the library, to be applied to every survey.
        library: The templates, kept for the matching.
        scaler: Labels to unit labels.
        flux_pca: Mean and components of the flux.
        truncation: Variance of what the components leave out of each pixel.
        comp_scale: Standard deviation s of each coefficient over the library.
        gp: Conditioned Gaussian process from unit labels to standardised coefficients.
        residuals: Covariance of the leave-one-out residuals of the standardised coefficients.
        start_error: Covariance of the errors of matched start labels, in unit labels.
        settings: Versions, hashes, configuration; for the record.
    """

    preprocessor: Preprocessor
    library: Library
    scaler: LabelScaler
    flux_pca: FluxPCA
    truncation: LocalVariance
    comp_scale: Float[Tensor, " comp"]
    gp: SharedKernelGP
    residuals: LocalCovariance
    start_error: LocalCovariance
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels that the emulator knows."""
        return self.library.label_names

    @property
    def wave(self) -> Float[Tensor, " pix"]:
        """Vacuum rest wavelength of the pixels in Angstrom."""
        return self.library.spectra.wave

    @property
    def basis(self) -> Float[Tensor, "pix comp"]:
        """Components times their standard deviations: flux per standardised coefficient."""
        return self.flux_pca.basis * self.comp_scale

    @cached_property
    def survey_preprocessor(self) -> SurveyPreprocessor:
        """The preprocessing of spectra that the emulator is to measure."""
        n_comp, pca, reconstruction = self.preprocessor.reconstruct, self.flux_pca, None
        if n_comp is not None:
            reconstruction = Reconstruction(pca.mean, self.basis[:, :n_comp], pca.good)
        return SurveyPreprocessor.of(self.preprocessor, reconstruction)

    @property
    def bounds(self) -> tuple[Float[Tensor, " label"], Float[Tensor, " label"]]:
        """Least and greatest unit labels of the library."""
        unit = self.scaler.to_unit(self.library.labels)
        return unit.min(dim=0).values, unit.max(dim=0).values

    def flux(self, labels: Float[Tensor, "star label"]) -> Float[Tensor, "star pix"]:
        """Normalised flux of given labels.

        Args:
            labels: Stellar labels (K, dex, dex, ...).

        Returns:
            Flux on :attr:`wave`; 0 in pixels the library does not know.
        """
        return self.flux_of(self.gp.mean(self.scaler.to_unit(labels)))

    def flux_of(self, coefficients: Float[Tensor, "star comp"]) -> Float[Tensor, "star pix"]:
        """Normalised flux of standardised coefficients.

        Args:
            coefficients: One row per star.

        Returns:
            Flux on :attr:`wave`, in the precision of the coefficients.
        """
        mean, basis = self.flux_pca.mean.to(coefficients), self.basis.to(coefficients)
        return torch.addmm(mean, coefficients, basis.mT)

    def flux_variance(self, labels: Float[Tensor, "star label"]) -> Float[Tensor, "star pix"]:
        r"""Variance of the flux, the diagonal of :math:`B\,\mathrm{cov}(\bar f) B^T`.

        Args:
            labels: Stellar labels.

        Returns:
            Variance per pixel.
        """
        return self.gp.variance(self.scaler.to_unit(labels)) @ self.basis.square().mT

    def at_resolution(self, lsf_fwhm: Float[Tensor, " pix"] | None) -> "Emulator":
        """The emulator as an instrument of lower resolution would see it.

        Mean, components and templates are convolved with the Gaussian that is missing,
        sigma^2 = sigma_data^2 - sigma_library^2, which may differ from pixel to pixel. No
        pixel is made sharper.

        Args:
            lsf_fwhm: Resolution of the data at the pixels of the grid, full width at half maximum
                in Angstrom; ``None`` leaves the emulator as it is.

        Returns:
            The convolved emulator, or this one when the data are as sharp or sharper.

        Raises:
            ConfigError: If a width is 500 Angstrom and more, as a resolving power would be.
        """
        own = self.library.lsf_fwhm
        if lsf_fwhm is None or bool((lsf_fwhm <= (1 + SAME) * own).all()):
            return self
        if float(lsf_fwhm.max()) >= WIDEST_LSF:
            raise ConfigError(
                f"a resolution of {float(lsf_fwhm.max()):g} Angstrom is too coarse: lsf_fwhm is "
                "the full width at half maximum in Angstrom, wavelength over resolving power"
            )
        missing = (lsf_fwhm.square() - own.square()).clamp_min(0)
        variance = missing / (FWHM_PER_SIGMA * self.preprocessor.wave_step) ** 2
        pca, spectra = self.flux_pca, self.library.spectra
        columns = torch.cat([pca.mean[:, None], pca.basis], dim=1).mT
        smooth = broaden(columns, pca.good.expand_as(columns), variance[None]).mT
        seen = replace(spectra, flux=broaden(spectra.flux, spectra.good, variance[None]))
        return replace(
            self,
            flux_pca=replace(pca, mean=smooth[:, 0], basis=smooth[:, 1:]),
            library=replace(self.library, spectra=seen, lsf_fwhm=lsf_fwhm.maximum(own)),
        )
