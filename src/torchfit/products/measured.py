"""A measured survey as its products see it: spectra by star, with what was found of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchfit.catalogue.schema import CLIPPED
from torchfit.emulator.emulator import Emulator
from torchfit.files.column_table import ColumnTable
from torchfit.files.model_spectra import BAD, OUTLIER, UNKNOWN, ModelSpectra
from torchfit.files.pixel_ranges import pixels_in
from torchfit.likelihood.metric import Metric
from torchfit.survey.packed_survey import PackedSurvey


@dataclass(frozen=True)
class MeasuredSurvey:
    """A survey whose fits are done.

    Args:
        packed: The shards, in the order of the stars' running numbers.
        star: Running number of every star.
        table: The merged table of the fits, in the same order, with
            :data:`torchfit.catalogue.schema.CLIPPED`.
        emulator: At the resolution of the survey.
        metric: The model of a spectrum that was fitted.
    """

    packed: PackedSurvey
    star: Int[np.ndarray, " star"]
    table: ColumnTable
    emulator: Emulator
    metric: Metric

    def parts(self, n_rows: int) -> Iterator[tuple[slice, pd.DataFrame]]:
        """What was found of all stars, some at a time, in one pass over the table.

        Args:
            n_rows: Stars of a part; the last may have fewer.

        Yields:
            Places of the stars; their numbers, sources, labels, and outliers.
        """
        names = ["star", "source", *self.emulator.label_names, CLIPPED.name]
        rest, first = pd.DataFrame(columns=names), 0
        for piece in self.table.pieces(names):
            rest = pd.concat([rest, piece], ignore_index=True) if len(rest) else piece
            while len(rest) >= n_rows:
                yield slice(first, first + n_rows), rest.iloc[:n_rows]
                rest, first = rest.iloc[n_rows:], first + n_rows
        if len(rest):
            yield slice(first, first + len(rest)), rest

    def clipped(self, found: pd.DataFrame) -> Bool[Tensor, "star pix"]:
        """Outliers of some stars.

        Args:
            found: What :meth:`parts` gives of them.
        """
        ranges = found[CLIPPED.name].tolist()
        return torch.from_numpy(pixels_in(ranges, len(self.emulator.wave)))

    def models(self, place: slice, found: pd.DataFrame) -> ModelSpectra:
        """Spectra of some stars with their models.

        Args:
            place: Places of the stars.
            found: What :meth:`parts` gives of them.

        Returns:
            The spectra in this order; model and continuum are NaN for stars without labels.
        """
        emulator, known = self.emulator, self.emulator.flux_pca.good
        spectra = self.packed.spectra(np.arange(place.start, place.stop))
        clipped = self.clipped(found)
        labels = torch.from_numpy(found[list(emulator.label_names)].to_numpy(np.float64, copy=True))
        fitted = labels.isfinite().all(dim=1).nonzero()[:, 0]
        model = torch.full_like(spectra.flux, torch.nan, dtype=torch.float64)
        continuum = model.clone()
        if len(fitted):
            clean = spectra.without(clipped)[fitted]
            flux = emulator.flux(labels[fitted])
            factor = self.metric.continuum(emulator, clean, labels[fitted], flux)
            model[fitted], continuum[fitted] = flux, factor.double()
        bad, unknown = ~spectra.good, (~known).expand_as(spectra.good)
        return ModelSpectra(
            wave=emulator.wave.numpy(),
            lsf_fwhm=emulator.library.lsf_fwhm.double().numpy(),
            star=found["star"].to_numpy(np.int64),
            source=found["source"].tolist(),
            flux=spectra.flux.numpy(),
            ivar=spectra.ivar.numpy(),
            mask=(BAD * bad + OUTLIER * clipped + UNKNOWN * unknown).to(torch.uint8).numpy(),
            model=torch.where(known, model, torch.nan).float().numpy(),
            continuum=continuum.float().numpy(),
        )
