"""An emulator for notebooks: labels in, spectra out."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.artefact import save_emulator
from torchfit.emulator.emulator import Emulator as TrainedEmulator
from torchfit.exceptions import LabelError, OutsideLibraryWarning
from torchfit.face.label_values import demand_near, numbers_of
from torchfit.face.widths import widths_of
from torchfit.likelihood.support import Support
from torchfit.names import label_of
from torchfit.uncertainty.library_errors import FILE, LibraryErrors

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Emulator:
    """Normalised flux of stars of given labels, from a library of real stars.

    Made by :func:`torchfit.load_emulator`.

    Args:
        trained: The trained emulator.
        errors: What its library teaches of the errors of measured labels.

    Examples:
        >>> import torchfit as tf
        >>> emulator = tf.load_emulator("miles")
        >>> flux = emulator.predict(teff=5777, logg=4.44, fe_h=0.0)
        >>> flux.shape == emulator.wave.shape
        True
    """

    def __init__(self, trained: TrainedEmulator, errors: LibraryErrors | None = None) -> None:
        self.trained = trained
        self.errors = LibraryErrors() if errors is None else errors

    def __repr__(self) -> str:
        """Some lines: library, grid, labels with their ranges."""
        ranges = ", ".join(
            f"{name} {low:.4g} to {high:.4g}" for name, (low, high) in self.ranges.items()
        )
        library = self.trained.library
        return (
            f"<Emulator of {library.provenance.get('library', 'a library')}: {len(library)} stars, "
            f"{len(self.wave)} pixels, {self.wave[0]:.0f}-{self.wave[-1]:.0f} Angstrom (vacuum)\n"
            f"  {ranges}>"
        )

    @property
    def wave(self) -> np.ndarray:
        """Vacuum rest wavelength of the pixels in Angstrom.

        Examples:
            >>> emulator.wave[1] - emulator.wave[0]
            np.float64(1.0)
        """
        return self.trained.wave.numpy().copy()

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels in the order in which :meth:`predict` takes them.

        Examples:
            >>> emulator.label_names
            ('teff', 'logg', 'fe_h')
        """
        return self.trained.label_names

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest value of each label in the library (K, dex, dex, ...).

        Examples:
            >>> low, high = emulator.ranges["teff"]
            >>> low < 5777 < high
            True
        """
        labels = self.trained.library.labels
        low, high = labels.min(dim=0).values.tolist(), labels.max(dim=0).values.tolist()
        return dict(zip(self.label_names, zip(low, high, strict=True), strict=True))

    def predict(
        self, *labels: Any, return_std: bool = False, return_cov: bool = False, **named: Any
    ) -> Any:
        r"""Normalised flux of stars, with the emulator's uncertainty (Eq. 1) if asked for.

        .. math:: F(x) = \mu + B \bar f(x), \quad \mathrm{cov}\,F = B\,\mathrm{cov}(\bar f)\,B^T

        Args:
            *labels: Labels in the order of :attr:`label_names` (K, dex, dex, ...): numbers or
                arrays, which are broadcast.
            return_std: Also return the standard deviation of every pixel.
            return_cov: Also return the covariance of the pixels.
            **named: The same by name: ``teff=5777, logg=4.44, fe_h=0.0``.

        Returns:
            Flux on :attr:`wave`, shape (..., pix), NaN in pixels that the library does not have;
            with ``return_std`` or ``return_cov`` a tuple of flux and (..., pix) or (..., pix, pix).

        Raises:
            LabelError: If labels are missing, not known, not numbers, or far from any star: most
                often they are in the wrong order.

        Warns:
            OutsideLibraryWarning: Where too few library stars are near the labels.

        Examples:
            >>> flux, std = emulator.predict([5400, 5777], 4.44, 0.0, return_std=True)
            >>> flux.shape == std.shape == (2, len(emulator.wave))
            True
        """
        rows, shape = self._rows(labels, named)
        flux = self._visible(self.trained.flux(rows)).numpy().reshape(*shape, -1)
        if not (return_std or return_cov):
            return flux
        if not return_cov:
            variance = self._visible(self.trained.flux_variance(rows))
            return flux, variance.clamp_min(0).sqrt().numpy().reshape(*shape, -1)
        variance = self.trained.gp.variance(self.trained.scaler.to_unit(rows))
        basis = self._visible(self.trained.basis.mT).mT
        covariance = (variance[:, None] * basis) @ basis.mT
        return flux, covariance.numpy().reshape(*shape, len(basis), len(basis))

    def is_supported(self, *labels: Any, **named: Any) -> Any:
        """Whether enough library stars are near some labels; see :meth:`predict`.

        Examples:
            >>> emulator.is_supported([5400, 5777], 4.44, 0.0)
            array([ True,  True])
        """
        rows, shape = self._rows(labels, named, warn=False)
        return self._supported(rows).numpy().reshape(shape)[()]

    def at_resolution(self, lsf_fwhm: Any) -> "Emulator":
        """The emulator as an instrument of lower resolution would see it.

        Args:
            lsf_fwhm: Full width at half maximum in Angstrom: one number, or one per pixel of
                :attr:`wave`.

        Returns:
            A new emulator; it is made no sharper anywhere.

        Raises:
            SpectrumError: If a width is not positive, or there are others than that.

        Examples:
            >>> sun = {"teff": 5777, "logg": 4.44, "fe_h": 0.0}
            >>> coarse = emulator.at_resolution(10.0)  # Its lines are less deep.
            >>> np.nanmin(coarse.predict(**sun)) > np.nanmin(emulator.predict(**sun))
            np.True_
        """
        width = torch.as_tensor(widths_of(lsf_fwhm, self.wave), dtype=torch.float64)
        trained = self.trained.at_resolution(width.expand(len(self.wave)).contiguous())
        return Emulator(trained, self.errors)

    def save(self, folder: str | Path) -> None:
        """Write the emulator into a folder that :func:`torchfit.load_emulator` reads.

        Args:
            folder: The folder. An emulator there is replaced; anything else is kept beside it, as
                ``FOLDER.kept``.

        Raises:
            OutputError: If the folder cannot be written.

        Examples:
            >>> emulator.save("for_a_colleague")
            >>> tf.load_emulator("for_a_colleague").label_names
            ('teff', 'logg', 'fe_h')
        """
        save_emulator(self.trained, Path(folder), {FILE: self.errors.state()})

    def plot(self, *labels: Any, axes: "Axes | None" = None, **named: Any) -> "Axes":
        """Draw spectra of given labels, with the emulator's uncertainty as a band.

        Args:
            *labels: See :meth:`predict`.
            axes: Where to draw; new axes if not given.
            **named: See :meth:`predict`.

        Returns:
            The axes.

        Examples:
            >>> axes = emulator.plot(5777, 4.44, [-0.5, 0.0])
            >>> axes.figure.savefig("metallicity.png")
        """
        from torchfit.face.plots import plot_prediction

        flux, deviation = self.predict(*labels, return_std=True, **named)
        rows, _ = self._rows(labels, named, warn=False)
        captions = [self._caption(row) for row in rows.tolist()]
        return plot_prediction(
            self.wave, np.atleast_2d(flux), np.atleast_2d(deviation), captions, axes
        )

    def _caption(self, row: Sequence[float]) -> str:
        return ", ".join(
            f"{name} {value:.4g}" for name, value in zip(self.label_names, row, strict=True)
        )

    def _visible(self, flux: Float[Tensor, "star pix"]) -> Float[Tensor, "star pix"]:
        """NaN in pixels that the library does not know."""
        return torch.where(self.trained.flux_pca.good, flux, torch.nan)

    def _rows(
        self, labels: Sequence[Any], named: dict[str, Any], warn: bool = True
    ) -> tuple[Float[Tensor, "star label"], tuple[int, ...]]:
        """Labels as rows, and the shape they were given in."""
        names = self.label_names
        given = dict(zip(names, labels, strict=False)) | named
        if len(labels) > len(names) or len(given) < len(labels) + len(named):
            raise LabelError(f"labels are {', '.join(names)}, each once")
        missing = [name for name in names if name not in given]
        unknown = [name for name in given if name not in names]
        if missing or unknown:
            wrong = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
            raise LabelError(f"labels of this emulator are {', '.join(names)}: {wrong}")
        values = [numbers_of(label_of(name), given[name]) for name in names]
        try:
            columns = np.broadcast_arrays(*values)
        except ValueError as error:
            shapes = ", ".join(str(column.shape) for column in values)
            raise LabelError(f"labels of shapes {shapes} do not broadcast") from error
        rows = torch.from_numpy(np.stack([column.ravel() for column in columns], axis=1))
        demand_near(rows, self.ranges)
        if warn and not bool(self._supported(rows).all()):
            warnings.warn(
                "too few library stars are near these labels: the emulator extrapolates",
                OutsideLibraryWarning,
                stacklevel=3,
            )
        return rows, columns[0].shape

    def _supported(self, rows: Float[Tensor, "star label"]) -> Tensor:
        unit = self.trained.scaler.to_unit(rows)
        return ~Support().is_left(self.trained.gp.predictor.mean_and_density(unit)[1])
