"""From tensors to rows of the catalogue."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from torchfit.catalogue.conform import conform
from torchfit.catalogue.schema import CLIPPED, part_columns
from torchfit.files.pixel_ranges import ranges_of
from torchfit.measure.measurement import Measurement

_MEASURED = (
    "cfi", "chi2", "rchi2", "sse", "n_pix", "n_clipped", "outlier_score", "v_rad", "group", "flags"
)  # fmt: skip


def result_table(
    measured: Measurement, info: pd.DataFrame, label_names: Sequence[str]
) -> pd.DataFrame:
    """Join what was measured with what is known of the stars.

    Args:
        measured: Measured stars.
        info: What is known of each, in this order: ``star source obsid name ra dec subclass z snr_*
            *_lit n_exposures spectral_class in_library``.
        label_names: Labels of the emulator.

    Returns:
        Rows of the schema of parts.
    """
    unknown = [c for c in info.columns if c.endswith("_lit") and c[:-4] not in label_names]
    # As arrays until all are there: pandas takes long to add columns one by one.
    table: dict[str, Any] = {
        str(name): values for name, values in info.drop(columns=unknown).items()
    }
    for column, name in enumerate(label_names):
        table[name] = _numpy(measured.labels[:, column])
        for kind, values in _errors(measured).items():
            table[kind.format(name)] = _numpy(values[:, column])
        table[f"{name}_start"] = _numpy(measured.start[:, column])
        table[f"{name}_group"] = _numpy(measured.grouped[:, column])
        table.setdefault(f"{name}_lit", np.nan)
    if measured.posterior is not None:
        table["rhat"] = _numpy(measured.posterior.rhat)
        table["ess"] = _numpy(measured.posterior.ess)
    for name in _MEASURED:
        table[name] = _numpy(getattr(measured, name))
    table["iterations"] = _numpy(measured.fit.iterations)
    table["evaluations"] = _numpy(measured.fit.evaluations)
    table["stop"] = measured.fit.stop_reasons()
    table[CLIPPED.name] = ranges_of(_numpy(measured.clipped))
    return conform(pd.DataFrame(table, info.index, copy=False), part_columns(label_names, table))


def _errors(measured: Measurement) -> dict[str, Tensor]:
    """Columns of the errors, not calibrated, and of the posterior, by name and label."""
    posterior, errors = measured.posterior, measured.errors
    of_fit = {
        "e_{}": errors.total,
        "e_{}_fisher": errors.total,
        "e_{}_sys": errors.model,
        "e_{}_ran": errors.noise,
    }
    if posterior is None:
        return of_fit
    low, middle, high = posterior.quantiles.unbind(dim=2)
    of_posterior = {"{}_mean": posterior.mean, "{}_std": posterior.std}
    return of_fit | of_posterior | {"{}_p16": low, "{}_p50": middle, "{}_p84": high}


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()
