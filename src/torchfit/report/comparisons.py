"""Sections that set our labels beside those of other catalogues."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from torchfit.compare.reference import Comparison
from torchfit.files.table_pieces import Table
from torchfit.names import LOGG, TEFF, label_of
from torchfit.report.figures.comparison import label_comparison
from torchfit.report.metrics import SPECTRAL_CLASSES, TEFF_BINS, residual_rows
from torchfit.report.page import Section
from torchfit.report.rows import Row
from torchfit.report.table_two import DWARF_LOGG


def comparison_section(table: Table, comparison: Comparison, sample: np.ndarray) -> Section:
    """Compare with one catalogue.

    Args:
        table: Our catalogue.
        comparison: Their labels for our stars.
        sample: Our stars that count; those of the training library never do.

    Returns:
        The section: tables by class beside the paper's numbers and by temperature, and one figure
        per label.
    """
    title = f"Comparison with {comparison.title}"
    ours = table[list(comparison.labels)].to_numpy(dtype=float)
    known = table["in_library"].to_numpy(dtype=bool)
    theirs = np.where((sample & ~known)[:, None], comparison.theirs, np.nan)
    both = np.isfinite(ours) & np.isfinite(theirs)
    text = f"{join_sentence(comparison.line)} {_counted(comparison, theirs)} {comparison.remark}"
    if not both.any():
        return Section(title, f"{text.strip()} There is nothing to compare.")
    teff = theirs[:, 0]
    figures = [
        (
            f"{label_of(label).text}: torchfit against {comparison.title}",
            label_comparison(
                label, ours[:, place], theirs[:, place], teff, words=(comparison.title, "torchfit")
            ),
        )
        for place, label in enumerate(comparison.labels)
        if both[:, place].any()
    ]
    bins = {each.name: each.contains(teff) for each in TEFF_BINS}
    by_class = comparison_rows(ours, theirs, comparison)
    tables = [
        ("torchfit minus the other, by class", by_class),
        ("The same by temperature", residual_rows(ours - theirs, comparison.labels, bins)),
    ]
    return Section(title, text.strip(), figures, tables)


def comparison_rows(
    ours: Float[np.ndarray, "star label"],
    theirs: Float[np.ndarray, "star label"],
    comparison: Comparison,
) -> list[Row]:
    """Offset and scatter by class, with what the paper found.

    Args:
        ours: Our labels.
        theirs: Theirs, NaN for stars that do not count.
        comparison: What is compared.

    Returns:
        Rows of :func:`torchfit.report.metrics.residual_rows`; where the paper has numbers with
        ``paper mean`` and ``paper sigma``, NaN for those it has not.
    """
    groups = star_groups(theirs, comparison.labels)
    if not comparison.published:
        return residual_rows(ours - theirs, comparison.labels, groups)
    return [
        {**row, **_published(comparison.published, str(row["class"]), str(row["label"]))}
        for row in residual_rows(ours - theirs, comparison.labels, groups)
    ]


def star_groups(
    labels: Float[np.ndarray, "star label"], names: Sequence[str]
) -> Mapping[str, Bool[np.ndarray, " star"]]:
    """Groups of stars as the paper makes them, by the labels of the reference.

    Args:
        labels: Labels, the temperature in K first.
        names: Their names.

    Returns:
        Members by name; M stars are parted into dwarfs and giants where the gravity is known.
    """
    members = {each.name: each.contains(labels[:, 0]) for each in SPECTRAL_CLASSES}
    cool = members.pop("M")
    if LOGG not in names:
        return {"M": cool, **members, "OBA": members["A"] | members["OB"]}
    dwarf = labels[:, list(names).index(LOGG)] >= DWARF_LOGG
    parted = {"dM": cool & dwarf, "gM": cool & ~dwarf}
    return parted | members | {"OBA": members["A"] | members["OB"]}


def _published(
    published: Mapping[str, Mapping[str, Sequence[float]]], group: str, label: str
) -> Row:
    mean, sigma = published.get(group, {}).get(label, (float("nan"), float("nan")))
    return {"paper mean": float(mean), "paper sigma": float(sigma)}


def _counted(comparison: Comparison, theirs: np.ndarray) -> str:
    counted = int(np.isfinite(theirs[:, comparison.labels.index(TEFF)]).sum())
    return f"{counted} of them count here: neither excluded nor in the training library."


def join_sentence(line: Mapping[str, object]) -> str:
    """Say what was joined.

    Args:
        line: A line of :class:`torchfit.crossmatch.join.Join`.

    Returns:
        A sentence.
    """
    return (
        f"{line['found']} of our stars are in {line['file']} ({line['rows']} rows pass its cuts): "
        f"{line['by identifier']} found by identifier, {line['by place']} by place."
    )
