"""Which spectra of a survey the report shows."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from torchfit.emulator.emulator import Emulator
from torchfit.files.table_pieces import Table, rows_of
from torchfit.report.examples import Examples
from torchfit.survey.match import MatchedSurvey


def choose_examples(
    table: Table, survey: MatchedSurvey, emulator: Emulator, n_examples: int
) -> Examples:
    """Take spectra to show: of each class the one of median chi-squared, then the worst of all.

    Args:
        table: The catalogue's table.
        survey: The matched survey.
        emulator: What they were measured with.
        n_examples: How many spectra to take at most.

    Returns:
        Observed and model spectra.
    """
    ranked = table[["star", "rchi2", "spectral_class"]].sort_values(["rchi2", "star"])
    middle = [rows.index[len(rows) // 2] for _, rows in ranked.groupby("spectral_class")]
    last = ranked.index[: -1 - n_examples - len(middle) : -1]
    worst = [index for index in last if index not in middle]
    names = list(emulator.label_names)
    wanted = ["star", "source", "name", "subclass", "rchi2", *names]
    chosen = rows_of(table, np.array((middle + worst)[:n_examples], dtype=int), wanted)
    place = survey.stars.places(chosen["star"].to_numpy())
    spectra = survey.packed.spectra(place)
    model = emulator.flux(torch.from_numpy(chosen[names].to_numpy(dtype=float, copy=True)))
    known = emulator.flux_pca.good
    good = spectra.good & known
    return Examples(
        wave=spectra.wave.numpy(),
        flux=spectra.flux.numpy(),
        model=torch.where(known, model, torch.nan).numpy(),
        ivar=torch.where(good, spectra.ivar, 0.0).numpy(),
        star=chosen["star"].to_numpy(),
        title=tuple(_title(row) for row in chosen.to_dict("records")),
    )


def _title(row: Mapping[Hashable, Any]) -> str:
    name = row["name"] or Path(str(row["source"])).name
    return (
        f"{name} {row['subclass']}: Teff {row['teff']:.0f} K, log g {row['logg']:.2f}, "
        f"[Fe/H] {row['fe_h']:+.2f}, reduced chi2 {row['rchi2']:.2f}"
    )
