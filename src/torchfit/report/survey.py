"""The page of a survey: what was fitted, how well, what can be used, and what was not."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.compare.clusters import ClusterComparison
from torchfit.files.table_pieces import Table, rows_of
from torchfit.flags.judgement import finite
from torchfit.names import TEFF, label_of
from torchfit.optimise.problem import AT_REST
from torchfit.report.clusters import clusters_section
from torchfit.report.colours import colours_section
from torchfit.report.comparisons import comparison_section
from torchfit.report.examples import Examples
from torchfit.report.figures.comparison import label_comparison
from torchfit.report.figures.spectrum import spectrum_figure
from torchfit.report.flags import flags_section, goodness_section, joins_section, sample_section
from torchfit.report.metrics import label_residuals
from torchfit.report.page import Section, render_page
from torchfit.report.population import population_section
from torchfit.report.repeats import repeats_section
from torchfit.report.rows import Row
from torchfit.spectra import evenly

COMPARED = 1_000_000
"""Most stars that are compared with their published labels."""
LISTED = 25
"""Number of rows from which a list is cut short."""


def survey_report(
    survey: FinishedSurvey,
    examples: Examples | None,
    library_labels: Float[np.ndarray, "template label"] | None,
    summary: Mapping[str, str],
) -> str:
    """Render the page of a survey run.

    Args:
        survey: The finished survey; may have no star.
        examples: Fitted spectra to show; ``None`` when none were kept.
        library_labels: Labels of the training library; ``None`` leaves it out of the diagram.
        summary: What stands at the top, word by word.

    Returns:
        HTML, self-contained; what is not there is said to be not there.
    """
    table, labels = survey.table, survey.labels
    sections = (
        sample_section(survey),
        population_section(table, library_labels, labels),
        published_section(table, labels),
        *_comparisons(survey),
        goodness_section(table, survey.findings.explained, survey.snr),
        flags_section(survey.findings.explained),
        repeats_section(table, labels, survey.snr),
        colours_section(table),
        joins_section(survey.findings.joins),
        examples_section(examples),
        failures_section(table, survey.rejects),
    )
    return render_page("Stellar labels of a survey", summary, sections, survey.provenance)


def _comparisons(survey: FinishedSurvey) -> list[Section]:
    """A section for every catalogue that was compared with."""
    return [
        clusters_section(survey.table, each, survey.sample)
        if isinstance(each, ClusterComparison)
        else comparison_section(survey.table, each, survey.sample)
        for each in survey.findings.comparisons
    ]


def published_section(table: Table, labels: Sequence[str]) -> Section:
    """Compare with the published labels of the survey file, without the library's own stars."""
    title = "Comparison with the published labels"
    some = np.zeros(len(table), dtype=bool)
    for label in labels:
        some |= finite(table, [label, f"{label}_lit"])
    if not some.any():
        return Section(title, "No star has both a fitted and a published label.")
    compared = evenly(np.flatnonzero(some), COMPARED)
    names = [f"{name}{end}" for name in dict.fromkeys((TEFF, *labels)) for end in ("", "_lit")]
    stars = rows_of(table, compared, ["in_library", *names])
    ours, published = _values(stars, labels, ""), _values(stars, labels, "_lit")
    both = np.isfinite(ours) & np.isfinite(published)
    known = stars["in_library"].to_numpy(dtype=bool)
    teff = _class_teff(stars)
    rows = label_residuals(ours[~known], published[~known], labels, teff[~known])
    figures = [
        (
            f"{label_of(label).text}: fitted against published",
            label_comparison(label, ours[:, place], published[:, place], teff, known),
        )
        for place, label in enumerate(labels)
        if both[:, place].any()
    ]
    tables = [("Fitted minus published: median offset and scatter", rows)]
    text = _published_text(both, known, labels)
    if compared.size < some.sum():
        text = f"Of {some.sum()} stars with published labels, evenly chosen: {text}"
    return Section(title, text, figures, tables)


def _published_text(both: np.ndarray, known: np.ndarray, labels: Sequence[str]) -> str:
    some = both.any(axis=1)
    absent = [label for label, any_star in zip(labels, both.T, strict=True) if not any_star.any()]
    sentences = [
        f"{some.sum()} stars have published labels; classes follow the published temperature. "
        "The offset is the median, the robust scatter 1.4826 times the median absolute deviation."
    ]
    if (some & known).any():
        sentences.append(
            f"{(some & known).sum()} of them are in the training library: they are drawn as open "
            "symbols and not counted."
        )
    if not (some & ~known).any():
        sentences.append("No independent star remains, so there is no table.")
    if absent:
        sentences.append(f"There is nothing published for {', '.join(absent)}.")
    return " ".join(sentences)


def examples_section(examples: Examples | None) -> Section:
    """Show fitted spectra and what the model leaves."""
    if examples is None or not examples.title:
        return Section("Fitted spectra", "No spectrum was kept for this page.")
    parts = zip(examples.title, examples.flux, examples.model, examples.ivar > 0, strict=True)
    figures = [
        (
            f"Star {star}: observed spectrum, model, and residual",
            spectrum_figure(examples.wave, flux, model, good, title),
        )
        for star, (title, flux, model, good) in zip(examples.star, parts, strict=True)
    ]
    return Section("Fitted spectra", "Bad pixels are left out.", figures)


def failures_section(table: Table, rejects: pd.DataFrame) -> Section:
    """Say which spectra were rejected, which fits did not converge, and why."""
    unfinished = np.flatnonzero(~table["stop"].isin(AT_REST))
    listed = rows_of(table, unfinished[:LISTED], _UNFINISHED)
    text = (
        f"{len(rejects)} spectra were rejected; {len(unfinished)} of {len(table)} fits did not "
        "converge."
    )
    tables = [
        _shortened("Rejected spectra by reason", _counts(rejects[["reason"]]), "rejects.csv"),
        _shortened("Rejected spectra", rejects[["source", "reason"]], "rejects.csv"),
        _shortened("Why the fits stopped", _counts(table[["stop"]]), "the catalogue"),
        _shortened("Fits that did not converge", listed, "the catalogue", len(unfinished)),
    ]
    return Section("Stars that failed, and why", text, tables=tables)


_UNFINISHED = ["star", "source", "stop", "iterations"]


def _counts(column: pd.DataFrame) -> pd.DataFrame:
    """How often each value occurs, most frequent first, equals in the order of the alphabet."""
    counts = column.groupby(list(column)).size().sort_values(ascending=False, kind="stable")
    return counts.rename("n").reset_index()


def _shortened(
    caption: str, table: pd.DataFrame, elsewhere: str, n_rows: int | None = None
) -> tuple[str, list[Row]]:
    n_rows = len(table) if n_rows is None else n_rows
    if n_rows > LISTED:
        caption = f"{caption}: the first {LISTED} of {n_rows}; the rest is in {elsewhere}"
    rows = table.head(LISTED).to_dict(orient="records")
    return caption, [{str(name): cell for name, cell in row.items()} for row in rows]


def _values(table: Table, labels: Sequence[str], suffix: str) -> np.ndarray:
    return table[[f"{label}{suffix}" for label in labels]].to_numpy(dtype=float)


def _class_teff(table: Table) -> np.ndarray:
    """The published temperature where there is one, else ours, in K."""
    published, ours = _values(table, (TEFF,), "_lit")[:, 0], _values(table, (TEFF,), "")[:, 0]
    return np.where(np.isfinite(published), published, ours)
