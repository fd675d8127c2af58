"""One metric for all stars of a temperature and a noise level: the fit of a survey of millions."""

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.names import SPEED_OF_LIGHT
from torchfit.optimise.frame import Frame
from torchfit.optimise.metric import Folded, Metric, without_gaps
from torchfit.optimise.noise_shape import LEAST_IVAR, NoiseShape, level_of
from torchfit.optimise.nuisance import Nuisance
from torchfit.optimise.objective import Objective, StartPrior
from torchfit.optimise.outliers import Outliers
from torchfit.spectra import Spectra

LEVELS = (-5.4, 0.0)
"""Range of log10 of the noise variance: S/N of 500 to 1."""
LEVEL_STEP = 0.1


@dataclass(frozen=True)
class CommonMetric(Metric):
    r"""The metric with what hardly differs from star to star made once.

    Stars of one node in temperature and one level of noise share :math:`N = t + \sigma^2 s`, with
    the survey's own noise shape s, the emulator's covariance and the shapes of the nuisances. With
    :math:`G = [B L, T \Lambda^{1/2}]` and :math:`M = I + G^T N^{-1} G`, all a star needs of its
    pixels is :math:`p = G^T N^{-1} y`, one matrix product for all stars:

    .. math::
        \chi^2(z) = \|y\|_N^2 - p^T M^{-1} p - 2 z^T [M^{-1} p]_B + z^T [I - M^{-1}]_{BB}\, z,
        \quad z = L^{-1}(f - f_0).

    A bad pixel is filled with what the others say about it (the posterior mean of components,
    nuisances and start labels), until they agree: it then pulls nowhere. It is counted among the
    pixels all the same, so a star that lacks more than ``max_missing`` of them is not for this
    metric (:meth:`fits`); the exact one takes it.

    Args:
        shape: The survey's noise; ``None`` for the same noise at all wavelengths.
        rounds: Rounds of filling, and of clipping; each reads the pixels twice.
        max_missing: Largest share of missing pixels.

    References:
        Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39, 1, for the filling.
    """

    shape: NoiseShape | None = None
    rounds: int = 2
    max_missing: float = 0.2
    _made: dict[tuple[int, ...], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def exact(self) -> Metric:
        """The exact metric, for stars that lack many pixels."""
        names = [each.name for each in fields(Metric)]
        return Metric(**{name: getattr(self, name) for name in names})

    def fits(self, emulator: Emulator, spectra: Spectra) -> Bool[Tensor, " star"]:
        """Stars that lack few enough pixels."""
        known = emulator.flux_pca.good
        share = (spectra.good & known).sum(dim=1) / known.sum()
        return share >= 1 - self.max_missing

    def fold(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Folded:
        """Fold spectra into the objective, in single precision; see :meth:`Metric.fold`."""
        prior = self._prior(emulator, start)
        predictor = emulator.gp.predictor.to(torch.float32)
        centre = predictor.mean(prior.mean.float())
        good = spectra.good & emulator.flux_pca.good
        basis = emulator.basis.float()
        y = spectra.flux.float() - emulator.flux_pca.mean.float() - centre @ basis.mT
        y = torch.where(good, y, 0.0)
        node, level = self._node(emulator, start[:, 0]), self._level(emulator, spectra, start)
        keys, key = torch.unique(torch.stack([node, level], dim=1), dim=0, return_inverse=True)
        tables = [self._table(emulator, *pair) for pair in keys.tolist()]
        target, constant = torch.empty_like(centre), torch.empty_like(centre[:, 0])
        clipped, score = torch.zeros_like(good), torch.full_like(centre[:, 0], torch.nan)
        for number, table in enumerate(tables):
            star = (key == number).nonzero()[:, 0]
            filled = table.fill(y[star], good[star], self.outliers, self.rounds)
            clipped[star], score[star] = filled.clipped, filled.score
            target[star], constant[star] = table.form(filled.y)
        frame = Frame(
            torch.stack([table.whitener for table in tables]),
            torch.stack([table.share for table in tables]),
            key,
        )
        single = StartPrior(prior.mean.float(), prior.precision.float())
        objective = Objective(
            predictor, centre, None, target, constant, single, self.support, frame
        )
        return Folded(objective, clipped, score.double())

    def velocity(
        self,
        emulator: Emulator,
        spectra: Spectra,
        labels: Float[Tensor, "star label"],
        model: Float[Tensor, "star pix"] | None = None,
    ) -> Float[Tensor, " star"]:
        """Residual velocity of stars at their solution; see :meth:`Metric.velocity`."""
        result = torch.full_like(labels[:, 0], torch.nan)
        if self.nuisance.velocity_sigma is None:
            return result
        good = spectra.good & emulator.flux_pca.good
        model = emulator.flux(labels) if model is None else model
        y = torch.where(good, spectra.flux - model, 0.0).float()
        slope = self._velocity_slope(emulator, model)
        node, level = self._node(emulator, labels[:, 0]), self._level(emulator, spectra, labels)
        for pair in torch.unique(torch.stack([node, level], dim=1), dim=0).tolist():
            star = ((node == pair[0]) & (level == pair[1])).nonzero()[:, 0]
            table = self._table(emulator, *pair)
            along = torch.where(good[star], slope[star], 0.0)
            found = table.velocity(y[star], along, self.nuisance.velocity_sigma)
            result[star] = found.double()
        return result

    @staticmethod
    def _velocity_slope(
        emulator: Emulator, model: Float[Tensor, "star pix"]
    ) -> Float[Tensor, "star pix"]:
        """Change of models per km/s; 0 at the edges of what the emulator knows."""
        known, wave = emulator.flux_pca.good, emulator.wave
        inner = known & known.roll(1) & known.roll(-1)
        slope = torch.gradient(model, spacing=(wave,), dim=1)[0]
        return torch.where(inner, -wave / SPEED_OF_LIGHT * slope, 0.0).float()

    def _node(self, emulator: Emulator, teff: Float[Tensor, " star"]) -> Int[Tensor, " star"]:
        """Nearest node in temperature."""
        nodes = emulator.residuals.nodes
        place = (teff.log10() - nodes[0]) / (nodes[1] - nodes[0])
        return place.round().clamp(0, len(nodes) - 1).long()

    def _level(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Int[Tensor, " star"]:
        """Nearest level of noise."""
        good = spectra.good & emulator.flux_pca.good
        log_noise = -spectra.ivar.float().clamp_min(LEAST_IVAR).log()
        if self.shape is not None:
            relative = self.shape.variance.to(log_noise).log()
            log_noise = log_noise - relative[self._node(emulator, start[:, 0])]
        level = level_of(log_noise, good)
        if not bool(spectra.has_ivar.all()):
            truncation = emulator.truncation.at(start[:, 0])
            estimated = emulator.flux_pca.excess_noise(spectra, truncation).log().to(level)
            level = torch.where(spectra.has_ivar, level, estimated)
        log10 = level / torch.log(torch.tensor(10.0))
        last = round((LEVELS[1] - LEVELS[0]) / LEVEL_STEP)
        return ((log10 - LEVELS[0]) / LEVEL_STEP).round().clamp(0, last).long()

    def _table(self, emulator: Emulator, node: int, level: int) -> "_Table":
        """The table of a node and a level, made at its first use."""
        key = (id(emulator), node, level)
        if key not in self._made:
            variance = 10 ** (LEVELS[0] + LEVEL_STEP * level)
            shape = 1.0 if self.shape is None else self.shape.variance[node]
            noise = emulator.truncation.values[node] + variance * shape + self.noise_floor**2
            weight = torch.where(emulator.flux_pca.good, 1 / noise, 0.0)
            if key[:2] not in self._made:
                self._made[key[:2]] = _Columns.at(emulator, node, self.nuisance)
            self._made[key] = _Table(weight, self._made[key[:2]])
        return self._made[key]


@dataclass(frozen=True)
class _Columns:
    """What moves the spectra of one node, each of unit prior variance.

    Args:
        factor: Cholesky factor of the emulator's covariance.
        own: Whitened basis, then nuisances.
        wide: The same and what the errors of start labels do.
    """

    factor: Float[Tensor, "comp comp"]
    own: Float[Tensor, "pix column"]
    wide: Float[Tensor, "pix wide"]

    @classmethod
    def at(cls, emulator: Emulator, node: int, nuisance: Nuisance) -> "_Columns":
        """The columns of a node, at the mean labels of the templates near it."""
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
        return cls(factor, own.float(), torch.cat([own, moves], dim=1).float())


class _Filled(NamedTuple):
    """Spectra without gaps."""

    y: Float[Tensor, "star pix"]
    clipped: Bool[Tensor, "star pix"]
    score: Float[Tensor, " star"]


class _Table:
    """What stars of one node and one level of noise share.

    Args:
        weight: Inverse variance of the pixels; 0 where the emulator knows nothing.
        columns: The columns of the node.
    """

    def __init__(self, weight: Float[Tensor, " pix"], columns: _Columns) -> None:
        n_comp, n_own = len(columns.factor), columns.own.shape[1]
        wide = columns.wide.double()
        gram = wide.mT @ (weight[:, None] * wide)
        gram = gram + torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        inverse = torch.linalg.inv(gram[:n_own, :n_own])
        within = -inverse[:n_comp, :n_comp]
        within.diagonal().add_(1.0)
        value, vector = torch.linalg.eigh(within)
        value = value.clamp_min(1e-12)
        root = vector * value.sqrt()
        self.n_comp, self.columns, self.weight = n_comp, columns, weight.float()
        self.inverse, self.wide_inverse = inverse.float(), torch.linalg.inv(gram).float()
        whitener = torch.linalg.solve_triangular(columns.factor.mT, root, upper=True)
        self.whitener, self.share = whitener.float(), value.float()
        self.back = (vector / value.sqrt()).float()
        # The last nuisance is the velocity, where there is one.
        continuum = gram[n_comp : n_own - 1, n_comp : n_own - 1]
        self.continuum_inverse = torch.linalg.inv(continuum).float()

    def fill(
        self,
        y: Float[Tensor, "star pix"],
        good: Bool[Tensor, "star pix"],
        outliers: Outliers | None,
        rounds: int,
    ) -> _Filled:
        """Clip outliers, and put into bad pixels what the good ones say about them.

        Args:
            y: Spectra less their start models; 0 in bad pixels.
            good: Pixels that have a say.
            outliers: How outliers are found.
            rounds: How often.

        Returns:
            Spectra without gaps, what was clipped, and the outlier score.
        """
        root, has_say, wide = self.weight.sqrt(), good, self.columns.wide
        n_good = good.sum(dim=1)
        score = torch.full_like(y[:, 0], torch.nan)
        filled = y
        for number in range(rounds):
            model = ((filled * self.weight) @ wide) @ self.wide_inverse @ wide.mT
            if outliers is not None:
                residual = torch.where(has_say, (y - model) * root, 0.0)
                if number == 0:
                    score = (residual.square().sum(dim=1) / n_good.clamp_min(1)).sqrt()
                has_say = outliers.keep(residual, has_say, n_good)
            filled = torch.where(has_say, y, model)
        return _Filled(filled, good & ~has_say, score)

    def form(
        self, y: Float[Tensor, "star pix"]
    ) -> tuple[Float[Tensor, "star comp"], Float[Tensor, " star"]]:
        """Target in the coordinates of the frame, and chi-squared at the start.

        Args:
            y: Spectra less their start models, without gaps.

        Returns:
            Target and constant.
        """
        weighted = y * self.weight
        pull = weighted @ self.columns.own
        mean = pull @ self.inverse
        constant = (weighted * y).sum(dim=1) - (pull * mean).sum(dim=1)
        return mean[:, : self.n_comp] @ self.back, constant

    def velocity(
        self, y: Float[Tensor, "star pix"], slope: Float[Tensor, "star pix"], sigma: float
    ) -> Float[Tensor, " star"]:
        r"""Most probable velocity beside the continuum's nuisances C.

        :math:`v = t^T Q y / (t^T Q t + \sigma^{-2})` with the slope t and
        :math:`Q = W - W C (C^T W C + I)^{-1} C^T W`.

        Args:
            y: Spectra less their models; 0 in bad pixels.
            slope: Change of the models per km/s; 0 in bad pixels.
            sigma: Prior standard deviation in km/s.

        Returns:
            Velocity in km/s.
        """
        continuum = self.columns.own[:, self.n_comp : -1]
        weighted = slope * self.weight
        of_y, of_slope = (y * self.weight) @ continuum, weighted @ continuum
        through = of_slope @ self.continuum_inverse
        top = (weighted * y).sum(dim=1) - (through * of_y).sum(dim=1)
        bottom = (weighted * slope).sum(dim=1) - (through * of_slope).sum(dim=1)
        return top / (bottom + sigma**-2)
