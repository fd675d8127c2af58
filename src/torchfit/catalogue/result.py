"""From tensors to rows of the catalogue."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from torchfit.catalogue.schema import conform
from torchfit.inference import Measured


def result_table(
    measured: Measured, stars: pd.DataFrame, label_names: Sequence[str]
) -> pd.DataFrame:
    """Join what was measured with what is known of the stars.

    Args:
        measured: Measured stars, each with its place in ``stars``.
        stars: The survey's table: ``star source obsid name ra dec subclass z snr_* *_lit
            spectral_class in_library``.
        label_names: Labels of the emulator.

    Returns:
        Rows of the catalogue's schema.
    """
    info = stars.iloc[_numpy(measured.star)].reset_index(drop=True)
    unknown = [c for c in info.columns if c.endswith("_lit") and c[:-4] not in label_names]
    table = info.drop(columns=unknown)
    for column, name in enumerate(label_names):
        table[name] = _numpy(measured.labels[:, column])
        table[f"e_{name}"] = _numpy(measured.errors[:, column])
        table[f"{name}_start"] = _numpy(measured.start[:, column])
    for name in ("cfi", "chi2", "rchi2", "sse", "n_pix", "v_rad", "group", "flags"):
        table[name] = _numpy(getattr(measured, name))
    table["iterations"] = _numpy(measured.fit.iterations)
    table["evaluations"] = _numpy(measured.fit.evaluations)
    table["stop"] = measured.fit.stop_reasons()
    return conform(table, label_names)


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()
