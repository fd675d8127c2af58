"""One likelihood for all stars of a temperature and a noise level: the fit of millions."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import ConfigError
from torchfit.likelihood.form import WhitenedForm
from torchfit.likelihood.likelihood import Condensed
from torchfit.likelihood.metric import Metric, Sharing
from torchfit.likelihood.noise import LEVELS, NoiseShape, level_of, nearest_node
from torchfit.likelihood.objective import Objective, Origin
from torchfit.likelihood.on_first_use import OnFirstUse
from torchfit.likelihood.shared_table import LevelMatrices, NodeColumns, NodeTables
from torchfit.likelihood.stars_by_key import StarsByKey
from torchfit.likelihood.start_noise import StartSums, shared_start_noise
from torchfit.spectra import Spectra

LEVEL_STEP = 0.1
THIN = 8
"""Of so many neighbouring pixels one is read to find the stars that a star is like."""


class SharedLikelihood:
    r"""The metric with what hardly differs from star to star computed once.

    Stars of one node in temperature and one level of noise share :math:`N = t + \sigma^2 s`, with
    the survey's own noise shape s, the emulator's covariance and the shapes of the nuisances. With
    :math:`G = [B L, T \Lambda^{1/2}]` and :math:`M = I + G^T N^{-1} G`, all a star needs of its
    pixels is :math:`p = G^T N^{-1} y`, one matrix product for all stars:

    .. math::
        \chi^2(z) = \|y\|_N^2 - p^T M^{-1} p - 2 z^T [M^{-1} p]_B + z^T [I - M^{-1}]_{BB}\, z,
        \quad z = L^{-1}(f - f_0).

    A bad pixel is filled with what the good ones predict for it (the posterior mean of components,
    nuisances and start labels), until they agree: it then pulls to no side. It is counted among the
    pixels all the same, so a star that lacks more than ``max_missing`` of them is not for this
    likelihood (:meth:`takes`); the exact one takes it.

    Args:
        metric: The model of a spectrum; its ``sharing`` says which stars share.
        emulator: The emulator, at the resolution of the spectra.
        noise: How the survey's noise runs with wavelength; ``None`` for the same at all.

    Raises:
        ConfigError: If the metric shares nothing.

    References:
        Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39, 1, for the filling.
    """

    def __init__(self, metric: Metric, emulator: Emulator, noise: NoiseShape | None = None) -> None:
        if metric.sharing is None:
            raise ConfigError("metric.sharing=null: there is nothing to share; set metric.sharing")
        self.metric, self.emulator, self.noise = metric, emulator, noise
        self.sharing: Sharing = metric.sharing
        self.predictor = emulator.gp.predictor.to(self.dtype)
        self._columns = OnFirstUse(self._columns_of)
        self._tables = OnFirstUse(self._table_of)
        self._sums = OnFirstUse(self._sums_of)

    @property
    def dtype(self) -> torch.dtype:
        """Single precision: see :class:`torchfit.likelihood.likelihood.Likelihood`."""
        return torch.float32

    def takes(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Bool[Tensor, " star"]:
        """Stars of one exposure that lack few enough pixels, of a noise that many others have.

        The shape of a noise that few stars define would be theirs; a star without errors is taken
        where no star has any.
        """
        whole = spectra.coverage(self.emulator.flux_pca.good) >= 1 - self.sharing.max_missing
        whole = whole & (spectra.n_exposures == 1)
        if self.noise is None:
            return whole
        node = self._node(start[:, 0])
        known = spectra.good & self.emulator.flux_pca.good
        level = level_of(spectra.ivar[:, ::THIN].float(), known[:, ::THIN])
        enough = self.noise.n_like(node, level) >= self.sharing.min_stars
        has_none = (self.noise.n_stars[node] == 0).all(dim=1)
        return whole & torch.where(spectra.has_ivar, enough, has_none)

    def condense(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Condensed:
        """See :class:`torchfit.likelihood.likelihood.Likelihood`."""
        unit = self.emulator.scaler.to_unit(start).to(self.dtype)
        origin = Origin.of(self.predictor, unit)
        centre = origin.prediction.mean
        good = spectra.good & self.emulator.flux_pca.good
        y = (spectra.flux.to(self.dtype) - self.emulator.flux_of(centre)).mul_(good.to(self.dtype))
        node, level = self._node(start[:, 0]), self._level(spectra, start)
        # Tables are found by number: here alone the processor waits for an accelerator.
        pairs = torch.stack([node, level], dim=1).cpu()
        keys, key = torch.unique(pairs, dim=0, return_inverse=True)
        tables = [self._tables[node, level] for node, level in keys.tolist()]
        target, constant = torch.empty_like(centre), torch.empty_like(centre[:, 0])
        clipped, score = torch.zeros_like(good), torch.full_like(centre[:, 0], torch.nan)
        for number in keys[:, 0].unique().tolist():
            place = (pairs[:, 0] == number).nonzero()[:, 0]
            here = (keys[:, 0] == number).nonzero()[:, 0]
            own = tables[here[0] : here[-1] + 1]
            shared = NodeTables(self._columns[number], own, key[place] - here[0])
            star = place.to(node.device)
            filled = shared.fill(
                y.index_select(0, star),
                good.index_select(0, star),
                self.metric.outliers,
                self.sharing.rounds,
            )
            clipped[star], score[star] = filled.clipped, filled.score
            target[star], constant[star] = shared.form(filled.y)
        whitener = torch.stack([table.whitener for table in tables])
        share = torch.stack([table.share for table in tables])
        form = WhitenedForm(whitener, share, key.to(node.device), target, constant)
        stars = StarsByKey.of(key, len(tables), node.device)
        by_noise = self._start_noise(origin.prediction.jacobian, stars, keys.tolist())
        prior = self.metric.prior(self.emulator, start, by_noise).to(self.dtype)
        objective = Objective(self.predictor, origin, form, prior, self.metric.support)
        n_pix = (good & ~clipped).sum(dim=1, dtype=torch.int32).long()
        return Condensed(objective, clipped, score.double(), n_pix)

    def _node(self, teff: Float[Tensor, " star"]) -> Int[Tensor, " star"]:
        """Nearest node in temperature."""
        return nearest_node(self.emulator.residuals.nodes, teff)

    def _level(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Int[Tensor, " star"]:
        """Nearest level of noise."""
        emulator = self.emulator
        counted = spectra.good & emulator.flux_pca.good
        level = level_of(spectra.ivar.float(), counted)
        if self.noise is not None:
            level = level - self.noise.mean(self._node(start[:, 0]), level, counted)
        if not bool(spectra.has_ivar.all()):
            truncation = emulator.truncation.at(start[:, 0])
            estimated = emulator.flux_pca.excess_noise(spectra, truncation).log().to(level)
            level = torch.where(spectra.has_ivar, level, estimated)
        log10 = level / torch.log(torch.tensor(10.0))
        last = round((LEVELS[1] - LEVELS[0]) / LEVEL_STEP)
        return ((log10 - LEVELS[0]) / LEVEL_STEP).round().clamp(0, last).long()

    def _columns_of(self, node: int) -> NodeColumns:
        """What moves the spectra of a node."""
        return NodeColumns.at(self.emulator, node, self.metric.nuisance)

    def _table_of(self, key: tuple[int, int]) -> LevelMatrices:
        """The matrices of a node and a level."""
        node, _ = key
        extra = self.emulator.truncation.values[node] + self.metric.noise_floor**2
        weight = 1 / (self._noise(*key) + extra)
        return LevelMatrices.of(weight, self._columns[node])

    def _noise(self, node: int, level: int) -> Float[Tensor, " pix"]:
        """Variance of the pixels of a star of a node and a level; infinite in unknown ones."""
        emulator, variance = self.emulator, 10 ** (LEVELS[0] + LEVEL_STEP * level)
        values = emulator.truncation.values
        noise = torch.full_like(values[node], variance)
        if self.noise is not None:
            mean = torch.full_like(values[0, :1], variance).log()
            number = torch.tensor([node], device=values.device)
            noise = variance * self.noise.at(number, mean)[0].exp()
        return noise.masked_fill(~emulator.flux_pca.good, torch.inf)

    def _start_noise(
        self, jacobian: Float[Tensor, "star label comp"], stars: StarsByKey, keys: list[list[int]]
    ) -> Float[Tensor, "star label label"] | None:
        """What noise has added to the errors of the start labels."""
        if self.metric.start_scatter is None or not self.metric.has_prior:
            return None
        return shared_start_noise(
            jacobian, stars, [self._sums[node, level] for node, level in keys]
        )

    def _sums_of(self, key: tuple[int, int]) -> StartSums:
        """Sums over the pixels of a node and a level."""
        scatter = self.metric.start_scatter
        if scatter is None:
            raise ConfigError("metric.start_scatter=null: noise moves no start labels")
        return StartSums.of(self.emulator.basis, self._noise(*key), scatter)
