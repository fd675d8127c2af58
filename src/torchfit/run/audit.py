"""The audit of a library: held-out fits, the judgement, and what the report shows of it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.training import EmulatorTraining
from torchfit.library.audit import Audit, Evidence, Findings
from torchfit.library.library import Library
from torchfit.library.refined import refine_labels
from torchfit.match.cfi import correlate
from torchfit.match.start import exclude_same_star
from torchfit.measure.settings import FitSettings
from torchfit.report.audit import AuditedLibrary, AuditedTemplate, audit_rows
from torchfit.report.training import HeldOut
from torchfit.run.held_out import HeldOutLabels, hold_out, measure_library
from torchfit.uncertainty.cross_fitting import cross_fitted_errors
from torchfit.uncertainty.error_learning import ErrorLearning

N_NEIGHBOURS = 3
"""Most similar templates that are named and drawn."""


def audited_emulator(
    emulator: Emulator,
    training: EmulatorTraining,
    settings: FitSettings,
    learning: ErrorLearning,
) -> tuple[Emulator, Findings | None]:
    """Judge the held-out templates of an emulator's library, and leave the gross ones out.

    Wrong templates lead the fits of their neighbours astray. Stars that are listed at first are
    therefore measured once more, by an emulator that knows none of them, and judged by that.

    Args:
        emulator: The emulator of all templates, with the limits in its library.
        training: How emulators are made, and how many stars are held out.
        settings: How to measure.
        learning: How the errors of measured minus published labels are learned.

    Returns:
        The emulator at the same hyperparameters without the templates that are left out, and the
        findings; the same emulator and ``None`` for a library that is not audited.
    """
    library, audit = emulator.library, emulator.library.audit
    if audit is None:
        return emulator, None
    _, measured = hold_out(emulator, training, settings)
    findings = judge(audit, library, measured, learning)
    suspects = every_visit(library.star_names, findings.listed)
    if bool(suspects.any()):
        others = training.with_hyperparameters(emulator, library.select(~suspects))
        place = suspects.nonzero()[:, 0]
        measured = measured.with_rows(place, measure_library(others, library, place, settings))
        findings = judge(audit, library, measured, learning)
    if not bool(findings.left_out.any()):
        return emulator, findings
    return training.with_hyperparameters(emulator, library.select(~findings.left_out)), findings


def judge(
    audit: Audit, library: Library, measured: HeldOutLabels, learning: ErrorLearning
) -> Findings:
    """Judge templates by their held-out fits, with errors that other stars teach.

    Args:
        audit: The limits.
        library: The library.
        measured: Its held-out stars.
        learning: How errors are learned, each star's from the other stars.

    Returns:
        The findings.
    """
    names, stars = library.label_names, library.star_names
    error = cross_fitted_errors(learning, measured.quiet, library.labels, stars, names)
    evidence = Evidence(measured.quiet.labels, error, measured.matched, measured.misfit)
    return audit.judge(library.labels, stars, evidence)


def every_visit(
    star_names: Sequence[str], some: Bool[Tensor, " template"]
) -> Bool[Tensor, " template"]:
    """The templates of all stars of which one template is among some."""
    stars = {name for name, chosen in zip(star_names, some.tolist(), strict=True) if chosen}
    return torch.tensor([name in stars for name in star_names])


def audited_library(
    library: Library,
    findings: Findings,
    held_out: HeldOut,
    stars: Int[Tensor, " held"],
    emulator: Emulator,
) -> AuditedLibrary:
    """What is shown of an audit.

    Args:
        library: The whole library.
        findings: Of the audit.
        held_out: The held-out stars, which have the flux that their published labels give.
        stars: Their places in the library.
        emulator: Gives that flux for listed visits of held-out stars that are not held out.

    Returns:
        The listed templates with their neighbours.
    """
    place = findings.ranked
    known = dict(zip(stars.tolist(), held_out.model, strict=True))
    others = torch.tensor([star for star in place.tolist() if star not in known], dtype=torch.long)
    known |= dict(zip(others.tolist(), _shown_models(library, others, emulator), strict=True))
    listed = zip(place.tolist(), _nearest(library, place), strict=True)
    templates = [_template(library, findings, star, near, known[star]) for star, near in listed]
    return AuditedLibrary(
        templates, findings.n_judged, len(library), library.label_names, held_out.wave
    )


def _shown_models(
    library: Library, place: Int[Tensor, " listed"], emulator: Emulator
) -> Float[np.ndarray, "listed pix"]:
    """The flux that the published labels of some templates give; NaN where it is not known."""
    flux = emulator.flux(library.labels[place]).float()
    return torch.where(emulator.flux_pca.good, flux, torch.nan).numpy()


def _nearest(library: Library, place: Int[Tensor, " listed"]) -> Int[Tensor, "listed neighbour"]:
    """The templates of other stars that correlate best with some templates."""
    cfi = correlate(library.spectra[place], library.spectra)
    others = exclude_same_star(cfi, library.star_names, place)
    return others.topk(min(N_NEIGHBOURS, len(library)), dim=1).indices


def _template(
    library: Library,
    findings: Findings,
    star: int,
    near: Int[Tensor, " neighbour"],
    model: Float[np.ndarray, " pix"],
) -> AuditedTemplate:
    evidence = findings.evidence
    return AuditedTemplate(
        name=library.star_names[star],
        reason=findings.reason(star),
        size=float(findings.sizes[star].max()),
        left_out=bool(findings.left_out[star]),
        labels=library.labels[star].numpy(),
        measured=evidence.measured[star].numpy(),
        error=evidence.error[star].numpy(),
        neighbours=tuple(library.star_names[other] for other in near.tolist()),
        neighbour_labels=library.labels[near].numpy(),
        flux=_shown(library, near.new_tensor([star]))[0],
        model=model,
        neighbour_flux=_shown(library, near),
    )


def _shown(library: Library, place: Int[Tensor, " chosen"]) -> Float[np.ndarray, "chosen pix"]:
    spectra = library.spectra[place]
    return torch.where(spectra.good, spectra.flux, torch.nan).float().numpy()


def audit_csv(audited: AuditedLibrary) -> str:
    """The listed templates as the text of a CSV file; only a header where there is none."""
    names = [f"{n}{kind}" for n in audited.label_names for kind in ("", "_measured", "_error")]
    header = ["star", "reason", "size", "left_out", *names, "neighbours"]
    return pd.DataFrame(audit_rows(audited), columns=header).to_csv(index=False)


def refined_csv(library: Library, findings: Findings) -> str:
    """The refined labels of all templates as the text of a CSV file.

    Of every label it has the published value (``teff``), the measured one (``teff_measured``), and
    the refined one with its standard deviation (``teff_refined``, ``teff_error``). All but the
    published value are empty for templates that were not measured.

    Args:
        library: The whole library.
        findings: Of its audit.

    Returns:
        One row per template, in the order of the library.
    """
    published, measured = library.labels, findings.evidence.measured
    refined, error = refine_labels(published, findings.evidence)
    kinds = {"": published, "_measured": measured, "_refined": refined, "_error": error}
    columns = {
        f"{name}{kind}": values[:, place].numpy()
        for place, name in enumerate(library.label_names)
        for kind, values in kinds.items()
    }
    stars = [" ".join(name.split()) for name in library.star_names]
    return pd.DataFrame({"star": stars, **columns}).to_csv(index=False, float_format="%.7g")
