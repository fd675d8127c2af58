"""The exposures of stars that were fitted together: which they are, and the velocity of each."""

from functools import partial

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.catalogue.parts import write_part
from torchfit.catalogue.write import Writer
from torchfit.products.measured import MeasuredSurvey
from torchfit.survey.packed_survey import Exposures

EXPOSURES = "exposures.parquet"
"""Name under which the user finds the table."""
_AT_ONCE = 256
_KNOWN = ("source", "obsid", "mjd", "z", "z_err", "v_ccf", "e_v_ccf", "ccf_ratio")


def exposures_product(survey: MeasuredSurvey) -> dict[str, Writer]:
    """What writes the table of exposures, by its name; nothing where every star has one.

    Args:
        survey: The measured survey.
    """
    exposures = survey.packed.exposures
    if exposures is None:
        return {}
    return {EXPOSURES: partial(write_part, table=exposure_table(survey, exposures))}


def exposure_table(survey: MeasuredSurvey, exposures: Exposures) -> pd.DataFrame:
    """A row for every exposure of the stars of several.

    Args:
        survey: The measured survey.
        exposures: Its exposures.

    Returns:
        ``star``, its running number in the catalogue; what is known of the exposure; ``v_rad`` in
        km/s, the residual velocity of this exposure at the labels of the star, NaN where it has
        none; and ``snr_*``.
    """
    rows = []
    for place, found in survey.parts(_AT_ONCE):
        here, owner = exposures.places(np.arange(place.start, place.stop))
        if len(here):
            known = exposures.packed.known(here).to_pandas()
            star = found["star"].to_numpy()[owner]
            velocity = _velocities(survey, exposures, found, here, owner)
            snr = known[[name for name in known if name.startswith("snr_")]]
            table = known[list(_KNOWN)].assign(v_rad=velocity.numpy())
            table.insert(0, "star", star)
            rows.append(pd.concat([table, snr], axis=1))
    return pd.concat(rows, ignore_index=True)


def _velocities(
    survey: MeasuredSurvey,
    exposures: Exposures,
    found: pd.DataFrame,
    here: Int[np.ndarray, " exposure"],
    owner: Int[np.ndarray, " exposure"],
) -> Float[Tensor, " exposure"]:
    """Residual velocity of exposures at the labels of their stars."""
    emulator = survey.emulator
    labels = torch.from_numpy(found[list(emulator.label_names)].to_numpy(np.float64, copy=True))
    labels = labels[torch.from_numpy(owner)]
    velocity = torch.full_like(labels[:, 0], torch.nan)
    fitted = labels.isfinite().all(dim=1).nonzero()[:, 0]
    if len(fitted):
        spectra = exposures.packed.spectra(here[fitted.numpy()])
        clean = spectra.without(survey.clipped(found)[torch.from_numpy(owner)[fitted]])
        model = emulator.flux(labels[fitted])
        velocity[fitted] = survey.metric.velocity(emulator, clean, labels[fitted], model)
    return velocity
