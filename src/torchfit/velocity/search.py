"""The velocity of spectra: their best template, the peak of its correlation, and its error."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.names import SPEED_OF_LIGHT
from torchfit.preprocess.compose import stack, to_resolution
from torchfit.preprocess.mask import inside_windows
from torchfit.preprocess.resample import resample
from torchfit.spectra import Spectra, Spectrum, slices
from torchfit.velocity.correlation import Correlation, Correlator
from torchfit.velocity.log_grid import LogGrid, flatten
from torchfit.velocity.peak import MARGIN, find_peak

_AT_ONCE = 16
"""Stars per pass: their intermediate arrays stay in the cache of a processor."""


@dataclass(frozen=True)
class Velocities:
    """Velocities of stars; NaN where none can be measured.

    Args:
        v: Velocity in km/s, the speed of light times the redshift.
        error: Its standard deviation in km/s; the largest velocity that was searched, where the
            correlation still rises there.
        ratio: Height of the second peak of the correlation over that of the first: near 1 for two
            stars, or for noise.
        cfi: Height of the first.
        template: Number of the best template.
    """

    v: Float[Tensor, " star"]
    error: Float[Tensor, " star"]
    ratio: Float[Tensor, " star"]
    cfi: Float[Tensor, " star"]
    template: Float[Tensor, " star"]

    @property
    def z(self) -> Float[Tensor, " star"]:
        """Redshift."""
        return self.v / SPEED_OF_LIGHT

    @classmethod
    def unknown(cls, n_stars: int) -> "Velocities":
        """Velocities that were not measured."""
        none = torch.full((n_stars,), torch.nan, dtype=torch.float64)
        return cls(*(none for _ in fields(cls)))

    def with_rows(self, place: Int[Tensor, " chosen"], rows: "Velocities") -> "Velocities":
        """The same with those of some stars replaced.

        Args:
            place: Which stars.
            rows: Their velocities.
        """
        columns = {
            name: values.index_copy(0, place, getattr(rows, name))
            for name, values in vars(self).items()
        }
        return Velocities(**columns)

    def row(self, star: int) -> dict[str, float]:
        """What the catalogue has of a star, by its names."""
        columns = {"v_ccf": self.v, "e_v_ccf": self.error, "ccf_ratio": self.ratio}
        return {name: float(values[star]) for name, values in columns.items()}

    @classmethod
    def join(cls, pieces: Sequence["Velocities"]) -> "Velocities":
        """Velocities of several batches as one."""
        columns = {f.name: torch.cat([getattr(p, f.name) for p in pieces]) for f in fields(cls)}
        return cls(**columns)


class VelocitySearch:
    r"""Measures velocities against templates.

    Spectra and templates are binned evenly in the logarithm of the wavelength and divided by their
    running means. For every template and shift, amplitude and offset are free: what is left of the
    spectrum is :math:`\chi^2 = S (1 - r^2)` with the weighted correlation r
    (:class:`~torchfit.velocity.correlation.Correlation`). The largest r of all gives the velocity.
    With :math:`\kappa` the noise per pixel in units of the weights, known from the errors or seen
    in the residuals, whichever is larger,

    .. math:: \sigma_s^2 = \frac{\kappa}{- S\, r\, r''}, \qquad
        \kappa = \max\left(\frac{S (1 - r^2)}{N}, \left\langle w \sigma^2 \right\rangle \right).

    Args:
        grid: Bins.
        templates: Templates at rest, divided by their continua.
        lsf_fwhm: Resolution of their pixels, full width at half maximum in Angstrom, that spectra
            are brought to which are known to be sharper.
        max_velocity: Largest velocity in km/s, to both sides.
        window: Width of the running mean in bins, odd.
        floor: Misfit of a template as a share of the continuum, which keeps bright spectra from
            resting on their best pixels.

    References:
        Zucker 2003, MNRAS 342, 1291; Tonry & Davis 1979, AJ 84, 1511.
    """

    def __init__(
        self,
        grid: LogGrid,
        templates: Spectra,
        lsf_fwhm: Float[Tensor, " pix"],
        max_velocity: float,
        window: int,
        floor: float,
    ) -> None:
        self.grid, self.window, self.floor = grid, window, floor
        self.max_velocity = max_velocity
        self.resolution = (templates.wave, lsf_fwhm)
        wave = templates.wave.repeat(len(templates), 1)
        flux, ivar = resample(wave, templates.flux, templates.ivar, grid.wave)
        depth, weight = flatten(flux, ivar, window, templates.has_ivar)
        max_shift = int(max_velocity / grid.step) + 1 + MARGIN
        self.correlator = Correlator(depth, (weight > 0).all(dim=0), max_shift)

    def __call__(
        self, spectra: Sequence[Spectrum], windows: Sequence[tuple[float, float]] = ()
    ) -> Velocities:
        """Measure velocities.

        Args:
            spectra: Spectra as read; the redshifts they state have no weight.
            windows: Masked windows in Angstrom of the observed frame.

        Returns:
            One velocity per spectrum.
        """
        pieces = [self._measure(spectra[rows], windows) for rows in slices(len(spectra), _AT_ONCE)]
        return Velocities.join(pieces)

    def _measure(
        self, spectra: Sequence[Spectrum], windows: Sequence[tuple[float, float]]
    ) -> Velocities:
        wave, flux, ivar = stack(spectra)
        has_ivar = torch.tensor([spectrum.has_ivar for spectrum in spectra])
        ivar = torch.where(inside_windows(wave, list(windows)), 0.0, ivar)
        observed = torch.zeros(len(spectra), dtype=torch.float64)
        flux = to_resolution(spectra, (wave, flux, ivar), observed, self.resolution)
        depth, known = flatten(*self.grid.rebin(wave, flux, ivar), self.window, has_ivar)
        weight = known / (1 + self.floor**2 * known)
        n_good = (known > 0).sum(dim=1).clamp_min(1)
        # Variance of the noise in units of the weights.
        noise = torch.where(has_ivar, (weight / known.clamp_min(1e-30)).sum(dim=1) / n_good, 0.0)
        return self._best(self.correlator.correlate(depth, weight), noise)

    def _best(self, found: Correlation, noise: Float[Tensor, " star"]) -> Velocities:
        """The highest peak of the template that correlates best."""
        searched = found.coefficient[:, :, MARGIN : found.coefficient.shape[2] - MARGIN]
        template = searched.amax(dim=2).argmax(dim=1)
        rows = torch.arange(len(template), device=template.device)
        peak = find_peak(found.coefficient[rows, template])
        near = (peak.place.round().long() + found.scatter.shape[1] // 2)[:, None]
        scatter, n_good = (x.gather(1, near)[:, 0] for x in (found.scatter, found.n_good))
        left = scatter * (1 - peak.height.square())
        noise = torch.maximum(noise, left / n_good.clamp_min(1))
        information = -scatter * peak.height * peak.curvature
        usable = (peak.height > 0) & (information > 0)
        z = self.grid.redshift(peak.place)
        sigma = (noise / torch.where(usable, information, 1.0)).sqrt() * self.grid.width * (1 + z)
        error = (SPEED_OF_LIGHT * sigma).clamp_max(self.max_velocity)
        error = torch.where(peak.at_end, self.max_velocity, error)
        v, ratio = SPEED_OF_LIGHT * z, peak.second / peak.height
        columns = (v, error, ratio, peak.height, template.to(v))
        return Velocities(*(torch.where(usable, column, torch.nan) for column in columns))
