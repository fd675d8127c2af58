"""Where the labels of a synthetic grid stand: in file names, in headers and arrays, or nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torchfit.surveys.label_pattern import LabelPattern


@dataclass(frozen=True)
class GridLabels:
    """How the models of a grid tell their labels.

    Args:
        names: How file names tell labels; files that it does not match are left out.
        cards: Header card or array of a label, by label.
        fixed: Values of labels that all models share, or those that neither name nor card tells.
    """

    names: LabelPattern = field(default_factory=LabelPattern)
    cards: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether a model can tell any label."""
        return bool(self.names.expression or self.cards)

    def of(self, name: str, values: Mapping[str, Any], row: int) -> dict[str, float]:
        """Labels of a model.

        Args:
            name: Name of its file, without folders.
            values: What stands beside the spectra: cards, or arrays with one value a model.
            row: Number of the model in its file.
        """
        labels = dict(self.fixed) | (self.names.labels_of(name) or {})
        for label, card in self.cards.items():
            if card in values:
                numbers = np.asarray(values[card], dtype=np.float64)
                labels[label] = float(numbers[row] if numbers.ndim else numbers)
        return labels
