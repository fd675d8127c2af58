"""The numbers of the paper, from the one file that holds them: ``published.csv``."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class PublishedNumber:
    """A number of the paper.

    Args:
        figure: Where it stands: ``Fig. 2``, ``Text``.
        page: Page of the paper; empty where it is not known.
        sample: What it was measured on, or compared with.
        group: Group of stars; empty for all.
        label: Label that it is a number of; empty for none.
        quantity: What it is.
        value: The number, in the unit of the label.
    """

    figure: str
    page: str
    sample: str
    group: str
    label: str
    quantity: str
    value: float


@cache
def published_numbers() -> tuple[PublishedNumber, ...]:
    """All of them, in the order of the file."""
    text = files("torchfit.compare").joinpath("published.csv").read_text(encoding="utf-8")
    names = [each.name for each in fields(PublishedNumber)]
    return tuple(
        PublishedNumber(**{name: row[name] for name in names[:-1]}, value=float(row["value"]))
        for row in csv.DictReader(text.splitlines())
    )


def of_figure(figure: str) -> list[PublishedNumber]:
    """The numbers of a figure; none for a figure that the file has nothing of."""
    return [number for number in published_numbers() if number.figure == figure]


def published_value(figure: str, quantity: str, **where: str) -> float:
    """One number.

    Args:
        figure: Where it stands.
        quantity: What it is.
        **where: ``sample``, ``group`` or ``label``.

    Raises:
        KeyError: If there is none, or more than one.
    """
    found = [
        number.value
        for number in of_figure(figure)
        if number.quantity == quantity
        and all(getattr(number, name) == value for name, value in where.items())
    ]
    if len(found) != 1:
        raise KeyError(f"{figure}, {quantity}, {where}: {len(found)} published numbers")
    return found[0]


def offsets_and_scatters(sample: str) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """What the paper found against a catalogue.

    Args:
        sample: The catalogue.

    Returns:
        Offset and scatter by group of stars and label; nothing for a catalogue that it was not
        compared with.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for number in published_numbers():
        if number.sample == sample and number.quantity in ("offset", "scatter"):
            pair = found.setdefault(number.group, {}).setdefault(number.label, {})
            pair[number.quantity] = number.value
    return {
        group: {label: (pair["offset"], pair["scatter"]) for label, pair in labels.items()}
        for group, labels in found.items()
    }
