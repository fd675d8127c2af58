"""Sections on what can be used: the sample, the fits, the flags, and what was joined."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.crossmatch.join import Line
from torchfit.files.table_pieces import Table
from torchfit.flags.bits import MEANINGS, ResultFlag
from torchfit.flags.survey_rules import FLAG_SNR, FLAGS
from torchfit.report.figures.misfit import misfit_figure
from torchfit.report.figures.population import chi2_histogram
from torchfit.report.page import Section
from torchfit.report.rows import Row
from torchfit.report.table_two import DWARF_LOGG, table_two

_GOODNESS = "Goodness of fit"
_SAMPLE = "The recommended sample"
_JOINED = "Columns joined from other tables"


def sample_section(survey: FinishedSurvey) -> Section:
    """Show the recommended sample with its Table 2.

    Args:
        survey: The finished survey.

    Returns:
        The section; without a sample, Table 2 is of all stars.
    """
    rows = table_two(survey.table, survey.sample, survey.labels, survey.snr)
    split = f"Giants have log g below {DWARF_LOGG}."
    if survey.recommended is None:
        title = "The sample by class"
        text = f"No sample was asked for (catalogue=recommended): all {len(survey.table)} stars."
    else:
        title = _SAMPLE
        text = (
            f"{survey.recommended.sum()} of {len(survey.table)} stars are recommended. A flag that "
            "is not known excludes nobody."
        )
    caption = "Mean and spread (±) of the errors, of the reduced chi-squared, and least S/N"
    paragraphs = [f"{text} {split}", *survey.findings.notes]
    return Section(title, "\n\n".join(paragraphs), tables=[(caption, rows)])


def goodness_section(
    table: Table, explained: Mapping[str, Sequence[Line]], snr: Float[np.ndarray, " star"]
) -> Section:
    """Show how well the stars are fitted, and from which S/N on, as Fig. 11 of the paper.

    Args:
        table: The catalogue.
        explained: How the flags were set.
        snr: Signal-to-noise ratio of every star in the band of its class.

    Returns:
        The section.
    """
    rchi2 = table["rchi2"].to_numpy(dtype=float)
    good = np.isfinite(rchi2) & (rchi2 > 0)
    if not good.any():
        return Section(_GOODNESS, "No star has a finite reduced chi-squared.")
    text = f"{good.sum()} of {len(table)} stars have a finite reduced chi-squared."
    figures: list[tuple[str, Figure]] = [("Reduced chi-squared", chi2_histogram(rchi2))]
    if not np.isfinite(snr[good]).any():
        return Section(_GOODNESS, f"{text} No star has a signal-to-noise ratio.", figures)
    thresholds = {
        str(line["class"]): float(line["threshold"]) for line in explained.get(FLAG_SNR, ())
    }
    caption = "Mean squared residual against S/N: running median, and the threshold of flag_snr"
    figures += [(caption, misfit_figure(table, snr, thresholds))] if thresholds else []
    return Section(_GOODNESS, text, figures)


def flags_section(explained: Mapping[str, Sequence[Line]]) -> Section:
    """Say how the flags were set, and how often.

    Args:
        explained: Lines by column.

    Returns:
        The section.
    """
    text = (
        "flags is a sum of bits; 0 is good. The columns flag_snr, flag_chi2 and flag_alpha_fe are "
        "1 for a flagged star, 0 for a good one, and missing where nothing can be said. A class "
        "that says nothing of its own has the preset, as the tables tell."
    )
    bits: list[Row] = [
        {**line, "meaning": MEANINGS[ResultFlag(int(line["bit"]))]}
        for line in explained.get(FLAGS, ())
    ]
    tables = [(f"How {name} was set", lines) for name, lines in explained.items() if name != FLAGS]
    return Section("Flags", text, tables=[("Bits of flags", bits), *tables])


def joins_section(joins: Sequence[Line]) -> Section:
    """Say which columns came from elsewhere.

    Args:
        joins: One line per source.

    Returns:
        The section.
    """
    if not joins:
        text = (
            "Nothing was joined: the columns for Gaia, distances, reddening and Imig's gravities "
            "are empty. crossmatch=[gaia_dr3,bailer_jones,bayestar19,logg_imig] fills them from "
            "your files."
        )
        return Section(_JOINED, text)
    text = "A star that was not found has missing values in these columns."
    return Section(_JOINED, text, tables=[("What was joined", list(joins))])
