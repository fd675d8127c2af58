"""The page of an emulator: how well it predicts stars it has not seen, and inverts them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from torchfit.names import label_of
from torchfit.report.audit import AuditedLibrary, audit_section
from torchfit.report.figures.comparison import label_comparison
from torchfit.report.figures.flux import flux_comparison
from torchfit.report.figures.spectrum import spectrum_figure
from torchfit.report.metrics import TEFF_BINS, TeffRange, label_residuals, robust_sigma
from torchfit.report.page import Section, render_page
from torchfit.report.rows import Row, format_value

_ALL = TeffRange("all", 0.0, np.inf)


@dataclass(frozen=True)
class HeldOut:
    """Library stars as predicted by an emulator that was not trained on them.

    Args:
        labels: True labels; the first is ``teff`` in K.
        predicted: Labels found by inverting the emulator; NaN where it was not inverted.
        wave: Vacuum rest wavelength in Angstrom.
        flux: Observed normalised flux, float32.
        model: Flux emulated from the true labels, float32.
        good: Pixels that count.
    """

    labels: Float[np.ndarray, "star label"]
    predicted: Float[np.ndarray, "star label"]
    wave: Float[np.ndarray, " pix"]
    flux: Float[np.ndarray, "star pix"]
    model: Float[np.ndarray, "star pix"]
    good: Bool[np.ndarray, "star pix"]

    @property
    def teff(self) -> Float[np.ndarray, " star"]:
        """True effective temperature in K."""
        return self.labels[:, 0]

    def select(self, keep: Bool[np.ndarray, " star"]) -> "HeldOut":
        """Some of the stars."""
        rows = {name: value[keep] for name, value in vars(self).items() if name != "wave"}
        return replace(self, **rows)


def training_report(
    residuals: HeldOut,
    summary: Mapping[str, str],
    labels: Sequence[str],
    audited: AuditedLibrary | None = None,
    rest: HeldOut | None = None,
) -> str:
    """Render the page of a trained emulator.

    Args:
        residuals: The held-out stars.
        summary: What stands at the top, word by word.
        labels: Names of the label axis.
        audited: The library after its audit; ``None`` for none.
        rest: The held-out stars less those that the audit leaves out of training.

    Returns:
        HTML, self-contained.
    """
    sections = [
        flux_section(residuals),
        examples_section(residuals),
        inversion_section(residuals, labels, rest),
    ]
    if audited is not None:
        sections.append(audit_section(audited))
    return render_page("Emulator of stellar spectra", summary, sections)


def flux_residual_rows(held_out: HeldOut) -> list[Row]:
    """Return observed minus emulated flux by range of temperature.

    Args:
        held_out: The held-out stars.

    Returns:
        Rows ``teff, n_stars, n_pix, mean, sigma, sigma_robust`` over the good pixels, the last
        for all stars together; a range without a good pixel has no row.
    """
    return [
        _flux_row(held_out, name, inside)
        for name, inside in _occupied(held_out, (*TEFF_BINS, _ALL))
    ]


def inversion_rows(held_out: HeldOut, labels: Sequence[str]) -> list[Row]:
    """Return inverted minus true labels by label and class.

    Args:
        held_out: The held-out stars.
        labels: Names of the label axis.

    Returns:
        Rows of :func:`torchfit.report.metrics.label_residuals`.
    """
    return label_residuals(held_out.predicted, held_out.labels, labels, held_out.teff)


def flux_section(held_out: HeldOut) -> Section:
    """Show emulated against observed flux by temperature, as Fig. 6 of the paper."""
    figures = [
        (
            f"Emulated against observed flux, {name}",
            flux_comparison(*_pixels(held_out, inside), name),
        )
        for name, inside in _occupied(held_out, TEFF_BINS)
    ]
    if not figures:
        return Section("Held-out flux", "There is no held-out star with a good pixel.")
    text = (
        f"{len(held_out.labels)} stars, each predicted from its true labels by an emulator that "
        "was not trained on it. Colour is the number of pixels, on a logarithmic scale."
    )
    tables = [("Observed minus emulated normalised flux", flux_residual_rows(held_out))]
    return Section("Held-out flux", text, figures, tables)


def examples_section(held_out: HeldOut) -> Section:
    """Show one typical star per range of temperature, as Fig. 5 of the paper."""
    figures = [
        (
            f"A typical star, {name}: observed, emulated, residual",
            _example(held_out, _typical(held_out, inside)),
        )
        for name, inside in _occupied(held_out, TEFF_BINS)
    ]
    text = "In each range of temperature the star with the median residual."
    return Section("Example spectra", text if figures else "There is no star to show.", figures)


def inversion_section(
    held_out: HeldOut, labels: Sequence[str], rest: HeldOut | None = None
) -> Section:
    """Show how well the labels of held-out stars are found again from their spectra.

    Args:
        held_out: All held-out stars.
        labels: Names of the label axis.
        rest: Those that the audit does not leave out of training, which have a table of their own.
    """
    inverted = np.isfinite(held_out.predicted).all(axis=1)
    text = f"{inverted.sum()} of {len(inverted)} held-out stars were inverted."
    if not inverted.any():
        return Section("Inverted labels", text)
    figures = [
        (
            f"{label_of(label).text}: inverted against true",
            label_comparison(label, predicted, true, held_out.teff, words=("true", "inverted")),
        )
        for label, predicted, true in zip(
            labels, held_out.predicted.T, held_out.labels.T, strict=True
        )
    ]
    tables = [("Inverted minus true: median offset and scatter", inversion_rows(held_out, labels))]
    if rest is not None and (n_out := len(held_out.labels) - len(rest.labels)):
        text += (
            f" {n_out} of them train no emulator, since the audit of the library, which has seen "
            "the labels of all stars, leaves them out; the second table is without them."
        )
        tables.append(("The same without the stars left out", inversion_rows(rest, labels)))
    return Section("Inverted labels", text, figures, tables)


def _occupied(
    held_out: HeldOut, ranges: Sequence[TeffRange]
) -> Iterator[tuple[str, Bool[np.ndarray, " star"]]]:
    """The ranges that hold a good pixel, each with the stars inside."""
    with_pixels = held_out.good.any(axis=1)
    for teff_range in ranges:
        inside = teff_range.contains(held_out.teff) & with_pixels
        if inside.any():
            yield teff_range.name, inside


def _pixels(held_out: HeldOut, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Observed and emulated flux of all good pixels of the stars ``inside``."""
    good = held_out.good[inside]
    return held_out.flux[inside][good], held_out.model[inside][good]


def _flux_row(held_out: HeldOut, name: str, inside: np.ndarray) -> Row:
    flux, model = _pixels(held_out, inside)
    residual = flux - model
    return {
        "teff": name,
        "n_stars": int(inside.sum()),
        "n_pix": residual.size,
        "mean": float(residual.mean(dtype=float)),
        "sigma": float(residual.std(dtype=float)),
        "sigma_robust": robust_sigma(residual),
    }


def _typical(held_out: HeldOut, inside: np.ndarray) -> int:
    """The star of median root mean square residual, the lower of two."""
    stars = np.flatnonzero(inside)
    good = held_out.good[stars]
    residual = np.where(good, held_out.flux[stars] - held_out.model[stars], 0.0)
    spread = (residual**2).sum(axis=1) / good.sum(axis=1)
    return int(stars[np.argsort(spread, kind="stable")[(len(stars) - 1) // 2]])


def _example(held_out: HeldOut, star: int) -> Figure:
    good = held_out.good[star]
    title = f"Teff = {format_value(float(held_out.teff[star]))} K"
    return spectrum_figure(held_out.wave, held_out.flux[star], held_out.model[star], good, title)
