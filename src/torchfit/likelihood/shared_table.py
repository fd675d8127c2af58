"""What stars of one temperature and one level of noise share, made once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.likelihood.metric import without_gaps
from torchfit.likelihood.nuisance import Nuisance
from torchfit.likelihood.outliers import Outliers
from torchfit.likelihood.stars_by_key import StarsByKey

LEAST_SHARE = 1e-6
"""Share of the variance below which a spectrum does not constrain a coordinate."""


@dataclass(frozen=True)
class NodeColumns:
    """What moves the spectra of one node in temperature, each of unit prior variance.

    Args:
        factor: Cholesky factor of the emulator's covariance.
        own: Whitened basis, then nuisances.
        wide: The same and what the errors of start labels do.
    """

    factor: Float[Tensor, "comp comp"]
    own: Float[Tensor, "pix column"]
    wide: Float[Tensor, "pix wide"]

    @classmethod
    def at(cls, emulator: Emulator, node: int, nuisance: Nuisance) -> "NodeColumns":
        """The columns of a node, at the mean labels of the templates near it.

        Args:
            emulator: Gives covariance, basis and templates.
            node: Number of the node.
            nuisance: Continuum, broadening and velocity.

        Returns:
            The columns.
        """
        nodes, library = emulator.residuals.nodes, emulator.library
        distance = (library.labels[:, 0].log10() - nodes[node]) / (nodes[1] - nodes[0])
        near = torch.exp(-0.5 * distance.square())
        typical = (near @ library.labels / near.sum())[None]
        factor = torch.linalg.cholesky(emulator.residuals.matrices[node])
        model = without_gaps(emulator, emulator.flux(typical))
        sigma = torch.tensor(nuisance.sigma, dtype=model.dtype, device=model.device)
        nuisances = nuisance.columns(emulator.wave, model)[0] * sigma
        slope = emulator.gp.predictor.derivatives(emulator.scaler.to_unit(typical)).jacobian[0]
        of_start = torch.linalg.cholesky(emulator.start_error.at(typical[:, 0])[0])
        moves = emulator.basis @ (of_start.mT @ slope).mT
        own = torch.cat([emulator.basis @ factor, nuisances], dim=1)
        return cls(factor, own, torch.cat([own, moves], dim=1))


class LevelMatrices(NamedTuple):
    r"""Matrices of stars of one node and one level of noise, in single precision.

    With the columns G and weights W, :math:`M = I + G^T W G`.

    Args:
        weight: W; 0 where the emulator knows nothing.
        inverse: Columns of :math:`M^{-1}` that belong to components, in the coordinates in which
            the form is a sum of squares.
        whole: :math:`M^{-1}`.
        wide: The same with the columns of the start labels' errors.
        whitener: From components to the coordinates of the frame.
        share: Share of the variance along each of them that the emulator's own error has.
    """

    weight: Float[Tensor, " pix"]
    inverse: Float[Tensor, "column comp"]
    whole: Float[Tensor, "column column"]
    wide: Float[Tensor, "wide wide"]
    whitener: Float[Tensor, "comp comp"]
    share: Float[Tensor, " comp"]

    @classmethod
    def of(cls, weight: Float[Tensor, " pix"], columns: NodeColumns) -> "LevelMatrices":
        """The table of a node's columns and a level's weights.

        Args:
            weight: Inverse variance of the pixels, double precision.
            columns: The columns of the node.

        Returns:
            The table.
        """
        n_comp, n_own = len(columns.factor), columns.own.shape[1]
        # Single precision: what it rounds off is a millionth of the spectrum's information.
        wide = (weight.sqrt()[:, None] * columns.wide).float()
        gram = (wide.mT @ wide).double()
        gram.diagonal().add_(1.0)
        wide = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        whole = torch.cholesky_inverse(torch.linalg.cholesky(gram[:n_own, :n_own]))
        within = -whole[:n_comp, :n_comp]
        within.diagonal().add_(1.0)
        value, vector = torch.linalg.eigh(within)
        value = value.clamp_min(LEAST_SHARE)
        root = value.sqrt()
        whitener = torch.linalg.solve_triangular(columns.factor.mT, vector * root, upper=True)
        inverse = whole[:, :n_comp] @ (vector / root)
        return cls(*(each.float() for each in (weight, inverse, whole, wide, whitener, value)))


class FilledSpectra(NamedTuple):
    """Spectra without gaps, less their start models.

    Args:
        y: The spectra.
        clipped: Outliers among the good pixels.
        score: Root mean square of the first residuals; NaN where outliers are not looked for.
    """

    y: Float[Tensor, "star pix"]
    clipped: Bool[Tensor, "star pix"]
    score: Float[Tensor, " star"]


class NodeTables:
    """The tables of stars of one node: the pixels meet matrices that all these stars share.

    Args:
        columns: The columns of the node.
        tables: Tables of the levels.
        key: Which of them each star has, on any device.
    """

    def __init__(
        self, columns: NodeColumns, tables: Sequence[LevelMatrices], key: Int[Tensor, " star"]
    ) -> None:
        self.own, self.wide = columns.own.float(), columns.wide.float()
        self.tables = tables
        self.stars = StarsByKey.of(key, len(tables), self.own.device)
        self.weight = torch.stack([table.weight for table in tables])[key.to(self.own.device)]

    def fill(
        self,
        y: Float[Tensor, "star pix"],
        good: Bool[Tensor, "star pix"],
        outliers: Outliers | None,
        rounds: int,
    ) -> FilledSpectra:
        """Clip outliers, and fill bad pixels with what the good ones predict for them.

        Args:
            y: Spectra less their start models; 0 in bad pixels.
            good: Good pixels.
            outliers: How outliers are found.
            rounds: How often.

        Returns:
            Spectra without gaps, what was clipped, and the outlier score.
        """
        inverses = [table.wide for table in self.tables]
        root, counted, filled = self.weight.sqrt(), good, y
        share = counted.to(y)  # Products are faster than masks.
        n_good = good.sum(dim=1, dtype=torch.int32)
        score = torch.full_like(y[:, 0], torch.nan)
        for number in range(rounds):
            pull = (filled * self.weight) @ self.wide
            model = self.stars.times(pull, inverses) @ self.wide.mT
            if outliers is not None:
                residual = (y - model).mul_(root).mul_(share)
                if number == 0:
                    norm = torch.linalg.vector_norm(residual, dim=1)
                    score = norm / n_good.clamp_min(1).sqrt()
                counted = outliers.keep(residual, counted, n_good)
                share = counted.to(y)
            filled = torch.lerp(model, y, share)
        return FilledSpectra(filled, good & ~counted, score)

    def form(
        self, y: Float[Tensor, "star pix"]
    ) -> tuple[Float[Tensor, "star comp"], Float[Tensor, " star"]]:
        """Target in the whitened coordinates, and chi-squared at the start.

        Args:
            y: Spectra less their start models, without gaps.

        Returns:
            Target and constant.
        """
        weighted = y * self.weight
        pull = weighted @ self.own
        target = self.stars.times(pull, [table.inverse for table in self.tables])
        mean = self.stars.times(pull, [table.whole for table in self.tables])
        constant = (weighted * y).sum(dim=1) - (pull * mean).sum(dim=1)
        return target, constant
