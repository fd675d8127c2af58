"""What the audit of a library has found: a table, and every suspicious template drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.names import label_of
from torchfit.report.figures.neighbours import neighbour_figure
from torchfit.report.page import Section
from torchfit.report.rows import Row

MOST_DRAWN = 12
"""Templates that are drawn at most; the table has them all."""


@dataclass(frozen=True)
class AuditedTemplate:
    """A template that the audit lists.

    Args:
        name: Its star.
        reason: Why it is listed.
        size: By how many standard deviations.
        left_out: Whether it trains no emulator.
        labels: Published labels.
        measured: Labels measured with emulators of other stars.
        error: Standard deviation of measured minus published labels, from both errors.
        neighbours: Names of the most similar other templates.
        neighbour_labels: Their published labels.
        flux: Normalised flux; NaN in bad pixels.
        model: Flux that other stars say its published labels have.
        neighbour_flux: Normalised flux of the neighbours; NaN in bad pixels.
    """

    name: str
    reason: str
    size: float
    left_out: bool
    labels: Float[np.ndarray, " label"]
    measured: Float[np.ndarray, " label"]
    error: Float[np.ndarray, " label"]
    neighbours: tuple[str, ...]
    neighbour_labels: Float[np.ndarray, "neighbour label"]
    flux: Float[np.ndarray, " pix"]
    model: Float[np.ndarray, " pix"]
    neighbour_flux: Float[np.ndarray, "neighbour pix"]


@dataclass(frozen=True)
class AuditedLibrary:
    """A library after its audit.

    Args:
        templates: The listed templates, the worst first.
        n_judged: Number of templates that were judged.
        n_templates: Number of templates of the library.
        label_names: Names of the labels.
        wave: Vacuum wavelength in Angstrom.
    """

    templates: Sequence[AuditedTemplate]
    n_judged: int
    n_templates: int
    label_names: tuple[str, ...]
    wave: Float[np.ndarray, " pix"]

    @property
    def n_left_out(self) -> int:
        """Number of templates that train no emulator."""
        return sum(each.left_out for each in self.templates)

    @property
    def in_words(self) -> str:
        """How many templates were judged, listed and left out."""
        return (
            f"{self.n_judged} of {self.n_templates} templates judged, "
            f"{len(self.templates)} listed, {self.n_left_out} left out of training"
        )


def audit_rows(audited: AuditedLibrary) -> list[Row]:
    """Return one row per listed template.

    Args:
        audited: The library after its audit.

    Returns:
        Rows ``star, reason, size, left_out``, then published, measured and error of every label,
        and the names of the most similar templates.
    """
    return [
        {
            "star": " ".join(each.name.split()),
            "reason": each.reason,
            "size": each.size,
            "left_out": str(each.left_out).lower(),
            **_label_cells(each, audited.label_names),
            "neighbours": "; ".join(" ".join(name.split()) for name in each.neighbours),
        }
        for each in audited.templates
    ]


def _label_cells(each: AuditedTemplate, label_names: Sequence[str]) -> Row:
    kinds = {"": each.labels, "_measured": each.measured, "_error": each.error}
    return {
        f"{name}{kind}": float(values[place])
        for place, name in enumerate(label_names)
        for kind, values in kinds.items()
    }


def audit_section(audited: AuditedLibrary) -> Section:
    """Show the templates whose flux contradicts their labels.

    Args:
        audited: The library after its audit.

    Returns:
        The section; every template is drawn with its nearest neighbours, up to
        :data:`MOST_DRAWN`.
    """
    text = (
        f"{audited.in_words}, by fits with emulators of other stars (library.audit)."
        "\n\nReason labels: the held-out fit lies far from the published labels, in units of both "
        "errors, and the most similar templates agree with the fit. Spectrum: the flux is like no "
        "other of its temperature. Duplicate: templates of one star disagree."
    )
    drawn = audited.templates[:MOST_DRAWN]
    figures = [
        (f"{' '.join(each.name.split())}: {each.reason}", _figure(each, audited)) for each in drawn
    ]
    return Section("Library audit", text, figures, [("Listed templates", audit_rows(audited))])


def _figure(each: AuditedTemplate, audited: AuditedLibrary) -> Figure:
    said = label_text(each.labels, audited.label_names)
    others = [(f"emulated from other stars at {said}", each.model)]
    others += [
        (f"{' '.join(name.split())}, {label_text(labels, audited.label_names)}", flux)
        for name, labels, flux in zip(
            each.neighbours, each.neighbour_labels, each.neighbour_flux, strict=True
        )
    ]
    title = f"{' '.join(each.name.split())}"
    return neighbour_figure(audited.wave, each.flux, others, title)


def label_text(labels: Float[np.ndarray, " label"], label_names: Sequence[str]) -> str:
    """Return labels as they are said in one line: ``5772 K, 4.44, 0.00``."""
    kelvin = [label_of(name).unit == "K" for name in label_names]
    return ", ".join(
        f"{value:.0f} K" if is_kelvin else f"{value:.2f}"
        for value, is_kelvin in zip(labels, kelvin, strict=True)
    )
