"""What a fit found, as numbers, tables and a plot."""

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from jaxtyping import Float

from torchfit.flags.bits import MEANINGS, ResultFlag
from torchfit.measure.measurement import Measurement
from torchfit.names import label_of
from torchfit.uncertainty.calibration import Calibrated
from torchfit.velocity.search import Velocities

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = {
    "chi2": u.one,
    "rchi2": u.one,
    "v_rad": u.km / u.s,
    "cfi": u.one,
    "n_pix": u.one,
    "n_clipped": u.one,
}
"""Columns beside the labels, with their units."""
VELOCITY = {
    "v_ccf": ("v", u.km / u.s),
    "e_v_ccf": ("error", u.km / u.s),
    "ccf_ratio": ("ratio", u.one),
}
"""Columns of a measured velocity: what it calls them, and their units."""
PERCENTILES = {"_lower95": 2.5, "_lower68": 16.0, "_upper68": 84.0, "_upper95": 97.5}
"""Ends of names that stand for a percentile of a label."""


@dataclass(frozen=True, repr=False, eq=False)
class FitResult:
    """Labels of spectra with their errors; every label is an attribute, as ``result.teff``.

    ``result.e_teff`` is its calibrated error, ``result.teff_lower95``, ``teff_lower68``,
    ``teff_upper68`` and ``teff_upper95`` are the 2.5th, 16th, 84th and 97.5th percentile, and
    ``result.teff_start`` is its start label. ``chi2``,
    ``rchi2``, ``v_rad`` (km/s), ``cfi`` (best correlation with the library), ``n_pix``,
    ``n_clipped`` and ``flags`` are attributes too, and so are ``z``, the redshift that was removed,
    and ``v_ccf``, ``e_v_ccf`` (km/s) and ``ccf_ratio`` of a velocity that was measured. Of one
    spectrum they are numbers, of several arrays; ``result[3]`` is the fourth alone.

    Args:
        label_names: Labels.
        names: Names of the spectra.
        measured: Everything that was measured.
        errors: Calibrated errors.
        redshifts: Redshifts that the spectra were brought to rest with.
        velocities: Velocities by cross-correlation; NaN where the redshift was given.
        wave: Vacuum rest wavelength in Angstrom.
        flux: Normalised flux; NaN in bad pixels.
        ivar: Inverse variance of it; 0 in bad pixels.
        model: Model flux; NaN in pixels that the library does not have.
        one: Whether it is of one spectrum.
        exposures: Of stars that were fitted from several exposures: a row for each of these, with
            the number of its ``star``, ``z``, ``v_rad`` and the measured velocity; else ``None``.

    Examples:
        >>> result = tf.Fitter(emulator).fit(spectrum)
        >>> result.teff_lower68 < result.teff < result.teff_upper68
        True
    """

    label_names: tuple[str, ...]
    names: tuple[str, ...]
    measured: Measurement
    errors: Calibrated
    redshifts: Float[np.ndarray, " star"]
    velocities: Velocities
    wave: np.ndarray
    flux: Float[np.ndarray, "*star pix"]
    ivar: Float[np.ndarray, "*star pix"]
    model: Float[np.ndarray, "*star pix"]
    one: bool = False
    exposures: QTable | None = None

    def __len__(self) -> int:
        """Number of spectra."""
        return len(self.names)

    def __getitem__(self, place: Any) -> "FitResult":
        """The result of one spectrum, whose values are numbers.

        Raises:
            TypeError: If the place is no whole number.
            IndexError: If there are fewer spectra.
        """
        try:
            row = range(len(self))[operator.index(place)]
        except TypeError as error:
            raise TypeError(
                "a FitResult is indexed by one whole number; for several spectra use to_table()"
            ) from error
        except IndexError as error:
            raise IndexError(f"spectrum {place} of a FitResult of {len(self)}") from error
        if self.one:
            return self
        import torch

        star = torch.tensor([row])
        return FitResult(
            self.label_names,
            (self.names[row],),
            self.measured[star],
            Calibrated(*(part[star] for part in vars(self.errors).values())),
            self.redshifts[[row]],
            Velocities(*(part[star] for part in vars(self.velocities).values())),
            self.wave,
            self.flux[row],
            self.ivar[row],
            self.model[row],
            True,
            None if self.exposures is None else self.exposures[self.exposures["star"] == row],
        )

    def __getattr__(self, name: str) -> Any:
        """A label, its error, its start, or another column."""
        if name.startswith("_"):
            raise AttributeError(name)
        values = self._column(name)
        if values is None:
            near = ", ".join(self.columns)
            raise AttributeError(f"a FitResult has no {name}; its columns are {near}")
        return values[0].item() if self.one else values

    def __dir__(self) -> list[str]:
        """Columns too, for completion in notebooks."""
        return [*super().__dir__(), *self.columns]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of :meth:`to_table`.

        Examples:
            >>> result.columns[:4]
            ('teff', 'e_teff', 'logg', 'e_logg')
        """
        labels = [each for name in self.label_names for each in (name, f"e_{name}")]
        starts = [f"{name}_start" for name in self.label_names]
        return (*labels, *COLUMNS, "z", *VELOCITY, *starts)

    @property
    def flags(self) -> Any:
        """Bits of :class:`torchfit.flags.bits.ResultFlag`: 0 is good.

        Examples:
            >>> tf.Fitter(emulator).fit([spectrum]).flags.dtype
            dtype('int64')
        """
        if self.one:
            return ResultFlag(int(self.measured.flags[0]))
        return self.measured.flags.numpy()

    def explain(self) -> list[str]:
        """What each flag that is set means, line by line.

        Examples:
            >>> wave, flux = (each[:100] for each in (spectrum.wave, spectrum.flux))
            >>> piece = tf.Spectrum(wave, flux, medium="vacuum", z=0.0)
            >>> tf.Fitter(emulator).fit(piece).explain()[0]
            "FEW_PIXELS: Less than half of the emulator's pixels are good"
        """
        bits = np.bitwise_or.reduce(self.measured.flags.numpy())
        return [f"{flag.name}: {text}" for flag, text in MEANINGS.items() if bits & flag]

    def _column(self, name: str) -> np.ndarray | None:
        """Values of a column; ``None`` if there is none of this name."""
        if name in COLUMNS:
            return getattr(self.measured, name).numpy()
        if name == "z":
            return self.redshifts
        if name in VELOCITY:
            return getattr(self.velocities, VELOCITY[name][0]).numpy()
        values, label = self.measured.labels, name
        if name.startswith("e_"):
            values, label = self.errors.total, name.removeprefix("e_")
        elif name.endswith("_start"):
            values, label = self.measured.start, name.removesuffix("_start")
        elif (end := name[-8:]) in PERCENTILES:
            values, label = self.errors.percentiles(values)[PERCENTILES[end]], name[:-8]
        if label not in self.label_names:
            return None
        return values[:, self.label_names.index(label)].numpy()

    def _unit(self, name: str) -> u.UnitBase:
        if name in VELOCITY:
            return VELOCITY[name][1]
        plain = name.removeprefix("e_").removesuffix("_start")
        label = next((label_of(each) for each in self.label_names if each == plain), None)
        if label is None:
            return COLUMNS.get(name, u.one)
        return u.dex if label.unit.startswith("dex") else u.Unit(label.unit)

    def to_table(self) -> QTable:
        """All columns with units, a row per spectrum.

        Examples:
            >>> result.to_table()["teff"].unit
            Unit("K")
        """
        table = QTable()
        table["name"] = list(self.names)
        for name in self.columns:
            unit = self._unit(name)
            values = self._column(name)
            table[name] = values if unit in (u.one, u.dex) else values * unit
            if unit is u.dex:
                table[name].info.description = "dex"
        table["flags"] = self.measured.flags.numpy()
        return table

    def to_pandas(self) -> "pd.DataFrame":
        """All columns without units, a row per spectrum.

        Examples:
            >>> list(result.to_pandas())[:3]
            ['name', 'teff', 'e_teff']
        """
        return self.to_table().to_pandas()

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the observed spectrum, the model, and what is left.

        Args:
            axes: Where to draw; new axes if not given.

        Returns:
            The axes.

        Raises:
            ValueError: If there are several spectra: plot ``result[0]``.

        Examples:
            >>> axes = result.plot()
            >>> axes.figure.savefig("sun.png")
        """
        from torchfit.face.plots import plot_fit

        if not self.one:
            raise ValueError(f"{len(self)} spectra do not fit into one plot: use result[0].plot()")
        return plot_fit(self.wave, self.flux, self.model, self._caption(0), axes)

    def _caption(self, row: int) -> str:
        labels, errors = self.measured.labels[row].tolist(), self.errors.total[row].tolist()
        values = [
            f"{name} {label:.5g} ± {error:.2g}"
            for name, label, error in zip(self.label_names, labels, errors, strict=True)
        ]
        return ", ".join([*filter(None, [self.names[row]]), *values])

    def __repr__(self) -> str:
        """A line for one spectrum; at most ten lines for several."""
        if self.one:
            return f"<FitResult {self._caption(0)}, flags {self.flags!r}>"
        shown = [f"  {self._caption(row)}" for row in range(min(len(self), 8))]
        more = [f"  ... {len(self) - 8} more"] if len(self) > 8 else []
        return "\n".join([f"<FitResult of {len(self)} spectra", *shown, *more]) + ">"
