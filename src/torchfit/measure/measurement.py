"""What was measured of stars: labels, their errors, and how well the fit went."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.flags.bits import ResultFlag
from torchfit.measure.batch import GroupBatch
from torchfit.optimise.problem import Fit
from torchfit.uncertainty.fisher import LabelErrors
from torchfit.uncertainty.posterior import Posterior


@dataclass(frozen=True)
class Measurement:
    """Labels of stars with everything that is known of them.

    All numbers are in double precision, in whichever the likelihood of a star computes.

    Args:
        star: Place of each star in the survey's table.
        group: Number of its group.
        labels: Labels (K, dex, dex, ...).
        errors: Errors from the Fisher matrix; NaN for an unweighted metric.
        posterior: The sampled posterior; ``None`` where no star was to be sampled.
        start: Start labels from the matching.
        grouped: Labels after the last optimiser that moves whole groups; NaN where none does.
        cfi: Best correlation with the library.
        chi2: Chi-squared, without the prior.
        sse: Unweighted sum of squared residuals over good pixels, the paper's Eq. 3.
        n_pix: Number of pixels with weight.
        clipped: Outliers, which have none.
        outlier_score: Root mean square of the whitened residuals of the flux components; NaN where
            outliers are not looked for.
        v_rad: Residual velocity in km/s; NaN when the metric has none.
        flags: Bits of :class:`torchfit.flags.bits.ResultFlag`.
        fit: Iterations, evaluations and stop reasons.
    """

    star: Int[Tensor, " star"]
    group: Int[Tensor, " star"]
    labels: Float[Tensor, "star label"]
    errors: LabelErrors
    posterior: Posterior | None
    start: Float[Tensor, "star label"]
    grouped: Float[Tensor, "star label"]
    cfi: Float[Tensor, " star"]
    chi2: Float[Tensor, " star"]
    sse: Float[Tensor, " star"]
    n_pix: Int[Tensor, " star"]
    clipped: Bool[Tensor, "star pix"]
    outlier_score: Float[Tensor, " star"]
    v_rad: Float[Tensor, " star"]
    flags: Int[Tensor, " star"]
    fit: Fit

    @classmethod
    def empty(cls, batch: GroupBatch, n_labels: int, sampled: bool = False) -> "Measurement":
        """The measurement of stars that cannot be measured.

        Args:
            batch: The stars.
            n_labels: Number of labels.
            sampled: Whether posteriors are asked for.

        Returns:
            NaN for every number, no pixel, no iteration, and the flags for it.
        """
        number = torch.full_like(batch.star, torch.nan, dtype=torch.float64)
        clipped = torch.zeros_like(batch.spectra.good)
        labels, none = number[:, None].repeat(1, n_labels), torch.zeros_like(batch.star)
        flags = ResultFlag.FEW_PIXELS | ResultFlag.NOT_CONVERGED | ResultFlag.INVALID
        return cls(
            star=batch.star, group=batch.group, labels=labels, start=labels,
            grouped=labels,
            errors=LabelErrors(labels, labels),
            posterior=Posterior.unsampled(labels) if sampled else None,
            cfi=number, chi2=number, sse=number, n_pix=none, clipped=clipped, outlier_score=number,
            v_rad=number, flags=none + flags, fit=Fit.none(labels, none),
        )  # fmt: skip

    @property
    def n_clipped(self) -> Int[Tensor, " star"]:
        """Number of outliers."""
        return self.clipped.sum(dim=1, dtype=torch.int32).long()

    @property
    def rchi2(self) -> Float[Tensor, " star"]:
        """Chi-squared per degree of freedom."""
        return self.chi2 / (self.n_pix - self.labels.shape[1]).clamp_min(1)

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.star)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Measurement":
        """The measurement of the chosen stars."""
        columns = {field.name: _rows(getattr(self, field.name), star) for field in fields(self)}
        return Measurement(**columns)

    def with_rows(self, place: Int[Tensor, " chosen"], rows: "Measurement") -> "Measurement":
        """The same with the rows of some stars replaced.

        Args:
            place: Which rows.
            rows: Their new values.

        Returns:
            A new measurement.
        """
        columns = {
            field.name: _with_rows(getattr(self, field.name), place, getattr(rows, field.name))
            for field in fields(self)
        }
        return Measurement(**columns)

    @classmethod
    def joined(cls, pieces: Sequence["Measurement"]) -> "Measurement":
        """Measurements of some stars after those of others."""
        return pieces[0] if len(pieces) == 1 else _joined(pieces)


def _joined(pieces: Sequence[Any]) -> Any:
    """Rows one after the other of tensors, of dataclasses of tensors, or of ``None``."""
    if isinstance(pieces[0], Tensor):
        return torch.cat(list(pieces))
    if pieces[0] is None:
        return None
    columns = {name: _joined([vars(each)[name] for each in pieces]) for name in vars(pieces[0])}
    return replace(pieces[0], **columns)


def _rows(whole: Any, place: Int[Tensor, " chosen"]) -> Any:
    """Some rows of a tensor, of a dataclass of tensors, or of ``None``."""
    if isinstance(whole, Tensor):
        return whole[place]
    if whole is None:
        return None
    return replace(whole, **{name: _rows(each, place) for name, each in vars(whole).items()})


def _with_rows(whole: Any, place: Int[Tensor, " chosen"], rows: Any) -> Any:
    """Replace rows of a tensor, of a dataclass of tensors, or of ``None``."""
    if isinstance(whole, Tensor):
        return whole.index_copy(0, place, rows)
    if whole is None:
        return None
    values = {name: _with_rows(each, place, vars(rows)[name]) for name, each in vars(whole).items()}
    return replace(whole, **values)
