"""One metric for all stars of a temperature and a noise level: the fit of a survey of millions."""

from dataclasses import dataclass, field, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.predictor import Predictor
from torchfit.exceptions import ConfigError
from torchfit.likelihood.exact import Folded, Metric
from torchfit.likelihood.frame import Frame
from torchfit.likelihood.noise import LEAST_IVAR, NoiseShape, level_of
from torchfit.likelihood.objective import Objective, StartPrior
from torchfit.likelihood.shared_table import Columns, Shared, Table
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

    Raises:
        ConfigError: If a number makes no sense.

    References:
        Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39, 1, for the filling.
    """

    shape: NoiseShape | None = None
    rounds: int = 2
    max_missing: float = 0.2
    _made: dict[int, "_Made"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rounds < 1 or not 0 <= self.max_missing < 1:
            raise ConfigError(
                f"metric: rounds={self.rounds} must be at least 1 and max_missing="
                f"{self.max_missing} lie within 0 and 1"
            )

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which it computes."""
        return torch.float32

    @property
    def exact(self) -> Metric:
        """The exact metric, for stars that lack many pixels."""
        names = [each.name for each in fields(Metric)]
        return Metric(**{name: getattr(self, name) for name in names})

    def fits(self, emulator: Emulator, spectra: Spectra) -> Bool[Tensor, " star"]:
        """Stars that lack few enough pixels."""
        return spectra.coverage(emulator.flux_pca.good) >= 1 - self.max_missing

    def fold(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Folded:
        """Fold spectra into the objective, in single precision; see :meth:`Metric.fold`."""
        made, prior = self._make(emulator), self._prior(emulator, start)
        single = StartPrior(prior.mean.float(), prior.precision.float())
        centre = made.predictor.mean(single.mean)
        good = spectra.good & emulator.flux_pca.good
        y = (spectra.flux.float() - emulator.flux_of(centre)).masked_fill_(~good, 0.0)
        node, level = self._node(emulator, start[:, 0]), self._level(emulator, spectra, start)
        keys, key = torch.unique(torch.stack([node, level], dim=1), dim=0, return_inverse=True)
        tables = [self._table(made, *pair) for pair in keys.tolist()]
        target, constant = torch.empty_like(centre), torch.empty_like(centre[:, 0])
        clipped, score = torch.zeros_like(good), torch.full_like(centre[:, 0], torch.nan)
        for number in keys[:, 0].unique().tolist():
            star = (node == number).nonzero()[:, 0]
            here = (keys[:, 0] == number).nonzero()[:, 0]
            shared = Shared(
                made.columns[number], tables[here[0] : here[-1] + 1], key[star] - here[0]
            )
            filled = shared.fill(y[star], good[star], self.outliers, self.rounds)
            clipped[star], score[star] = filled.clipped, filled.score
            target[star], constant[star] = shared.form(filled.y)
        frame = Frame(
            torch.stack([table.whitener for table in tables]),
            torch.stack([table.share for table in tables]),
            key,
        )
        objective = Objective(
            made.predictor, centre, None, target, constant, single, self.support, frame
        )
        return Folded(objective, clipped, score.double())

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
        level = level_of(-spectra.ivar.float().clamp_min(LEAST_IVAR).log(), good)
        if self.shape is not None:
            relative = self.shape.variance.log().float()
            n_good = good.sum(dim=1, dtype=torch.int32).clamp_min(1)
            of_nodes = good.float() @ relative.mT / n_good[:, None]
            level = level - of_nodes.gather(1, self._node(emulator, start[:, 0])[:, None])[:, 0]
        if not bool(spectra.has_ivar.all()):
            truncation = emulator.truncation.at(start[:, 0])
            estimated = emulator.flux_pca.excess_noise(spectra, truncation).log().to(level)
            level = torch.where(spectra.has_ivar, level, estimated)
        log10 = level / torch.log(torch.tensor(10.0))
        last = round((LEVELS[1] - LEVELS[0]) / LEVEL_STEP)
        return ((log10 - LEVELS[0]) / LEVEL_STEP).round().clamp(0, last).long()

    def _make(self, emulator: Emulator) -> "_Made":
        """What is made of an emulator at its first use."""
        if id(emulator) not in self._made:
            self._made[id(emulator)] = _Made(emulator, emulator.gp.predictor.to(torch.float32))
        return self._made[id(emulator)]

    def _table(self, made: "_Made", node: int, level: int) -> Table:
        """The table of a node and a level, made at its first use."""
        if node not in made.columns:
            made.columns[node] = Columns.at(made.emulator, node, self.nuisance)
        if (node, level) not in made.tables:
            variance = 10 ** (LEVELS[0] + LEVEL_STEP * level)
            shape = 1.0 if self.shape is None else self.shape.variance[node]
            truncation = made.emulator.truncation.values[node]
            noise = truncation + variance * shape + self.noise_floor**2
            weight = torch.where(made.emulator.flux_pca.good, 1 / noise, 0.0)
            made.tables[node, level] = Table.of(weight, made.columns[node])
        return made.tables[node, level]


@dataclass(frozen=True)
class _Made:
    """What the metric has made of an emulator.

    Args:
        emulator: The emulator.
        predictor: Its mean, in single precision.
        columns: Columns of the nodes.
        tables: Tables of nodes and levels.
    """

    emulator: Emulator
    predictor: Predictor
    columns: dict[int, Columns] = field(default_factory=dict)
    tables: dict[tuple[int, int], Table] = field(default_factory=dict)
