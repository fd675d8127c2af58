"""Values of labels as a user gives them: numbers, arrays, quantities."""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import LabelError
from torchfit.names import Label
from torchfit.surveys.quantities import array_of, plain


def _in_unit_of(label: Label, values: u.Quantity) -> Any:
    """A quantity in the unit of a label; a logarithm may have none, or ``dex`` alone."""
    logarithm = label.unit.startswith("dex")
    if logarithm and values.unit in (u.one, u.dex):
        return values.value
    return values.to_value(u.Unit(label.unit))


def numbers_of(name: Label, values: Any) -> np.ndarray:
    """A label as real numbers in double precision.

    Args:
        name: The label.
        values: Numbers, or a quantity that converts to the unit of the label.

    Raises:
        LabelError: If the unit does not convert, or the values are not finite real numbers.
    """
    values = plain(values)
    if isinstance(values, u.Quantity):
        try:
            values = _in_unit_of(name, values)
        except u.UnitConversionError as error:
            raise LabelError(f"{name} in {values.unit} does not convert to {name.unit}") from error
    array = array_of(values)
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise LabelError(f"{name} must be real numbers, not {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise LabelError(f"{name} must be finite")
    return array.astype(np.float64)


def demand_near(
    rows: Float[Tensor, "star label"], ranges: Mapping[str, tuple[float, float]]
) -> None:
    """Refuse labels that are off by more than the whole range of the library.

    Args:
        rows: Labels of stars, in the order of the ranges.
        ranges: Least and greatest value of each label in the library.

    Raises:
        LabelError: If there are any; most often labels are in the wrong order.
    """
    for values, (name, (low, high)) in zip(rows.mT, ranges.items(), strict=True):
        span = high - low
        far = ~((values >= low - span) & (values <= high + span))
        if name == "teff":
            far |= values <= 0
        if bool(far.any()):
            raise LabelError(
                f"{name}={values[far][0].item():g} is far from the library's {low:.4g} to "
                f"{high:.4g}; the order of labels is {', '.join(ranges)}"
            )
