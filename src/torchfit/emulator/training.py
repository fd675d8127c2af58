"""From a library to an emulator: the only place that chains PCA, Gaussian process and errors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gpytorch.kernels import Kernel
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.flux_pca import FluxPCA, fit_flux_pca
from torchfit.emulator.gp import EACH, Noise, SharedKernelGP
from torchfit.emulator.learner import CrossValidation, Learner, TrainerFactory, TrainingTable
from torchfit.emulator.local_covariance import (
    LocalVariance,
    fit_local_covariance,
    fit_local_variance,
)
from torchfit.exceptions import ConfigError
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.library.sample import SampleSizes, stratified
from torchfit.library.scaling import LabelScaler
from torchfit.match.start import start_errors
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra


@dataclass(frozen=True)
class EmulatorTraining:
    """How an emulator is made from a library.

    Args:
        kernel: Builds the kernel from the number of labels.
        learner: Finds the hyperparameters.
        variance: Share of the flux variance that the components keep.
        max_comp: Most components; ``None`` for no limit.
        noise: Noise variance of the standardised coefficients: ``None`` learns one for all,
            ``each`` finds that of every component, a number is held fixed.
        n_best: Number of templates averaged for start labels, whose errors are stored.
        n_nodes: Nodes in temperature of the local variances.
        bandwidth: Their smoothing in dex of temperature.
        n_folds: Folds by star, for cross validation and for the held-out report.
        seed: Seed of the folds.
        n_inducing: Number of inducing points that predict in place of the templates; ``None`` is
            exact.
        samples: How many stars suffice for hyperparameters, residuals and the held-out report.

    Raises:
        ConfigError: If a number makes no sense.
    """

    kernel: Callable[[int], Kernel]
    learner: Learner
    variance: float = 0.98
    max_comp: int | None = None
    noise: Noise = None
    n_best: int = 5
    n_nodes: int = 15
    bandwidth: float = 0.04
    n_folds: int = 5
    seed: int = 0
    n_inducing: int | None = None
    samples: SampleSizes = field(default_factory=SampleSizes)

    def __post_init__(self) -> None:
        least = {"n_best": 1, "n_nodes": 2, "n_folds": 2}
        limited = {"max_comp": 1, "n_inducing": 10}
        least |= {name: low for name, low in limited.items() if getattr(self, name) is not None}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ConfigError(f"emulator.{name}={getattr(self, name)} must be at least {low}")
        if not 0 < self.variance <= 1 or self.bandwidth <= 0:
            raise ConfigError(
                f"emulator: variance={self.variance} must lie within (0, 1] and "
                f"bandwidth={self.bandwidth} be positive"
            )
        self._demand_noise()

    def _demand_noise(self) -> None:
        noise = self.noise
        sound = noise == EACH if isinstance(noise, str) else noise is None or noise > 0
        if not sound:
            raise ConfigError(f"emulator.noise={noise} must be {EACH}, positive, or null")
        if noise == EACH and isinstance(self.learner, CrossValidation):
            raise ConfigError(
                f"emulator.noise={EACH}: the grid of a learner sets one; set it to null"
            )

    def process(self, n_labels: int) -> SharedKernelGP:
        """The Gaussian process before it has seen a library."""
        return SharedKernelGP(self.kernel(n_labels), self.noise, self.n_inducing)

    def train(
        self,
        library: Library,
        preprocessor: Preprocessor,
        trainer: TrainerFactory,
        checkpoint: Path,
    ) -> Emulator:
        """Learn hyperparameters and build the emulator.

        Args:
            library: Training stars.
            preprocessor: What made the library's spectra, kept for surveys.
            trainer: Builds the Lightning trainer.
            checkpoint: Where an interrupted training is kept.

        Returns:
            The emulator.
        """
        gp = self.process(len(library.label_names))
        return self.build(library, preprocessor, gp, self._learn(trainer, checkpoint))

    def with_hyperparameters(self, emulator: Emulator, library: Library) -> Emulator:
        """The emulator of another library (a fold) at the hyperparameters of a trained one.

        Noises of their own belong to the components, which another library has others of: they
        are found again.

        Args:
            emulator: Gives hyperparameters and preprocessing.
            library: Training stars.

        Returns:
            A new emulator; PCA, scaling and covariances are those of ``library``.
        """
        trained = emulator.gp
        noise = EACH if trained.has_own_noise else self.noise
        gp = SharedKernelGP(self.kernel(len(library.label_names)), noise, self.n_inducing)
        gp.kernel.load_state_dict(trained.kernel.state_dict())
        if not trained.has_own_noise:
            gp.likelihood.load_state_dict(trained.likelihood.state_dict())
        return self.build(library, emulator.preprocessor, gp, lambda gp, table: None)

    def build(
        self,
        library: Library,
        preprocessor: Preprocessor,
        gp: SharedKernelGP,
        learn: Callable[[SharedKernelGP, TrainingTable], None],
    ) -> Emulator:
        """Chain scaling, flux PCA, Gaussian process, and the local variances.

        Args:
            library: Training stars.
            preprocessor: Kept for surveys.
            gp: Unconditioned Gaussian process.
            learn: Sets its hyperparameters.

        Returns:
            The emulator.
        """
        scaler = LabelScaler.fit(library.labels)
        flux_pca = fit_flux_pca(library.spectra, self.variance, self.max_comp)
        coefficients = flux_pca.project(library.spectra)
        comp_scale = coefficients.std(dim=0)
        x, y = scaler.to_unit(library.labels), coefficients / comp_scale
        folds = folds_by_star(library.star_names, self.n_folds, self.seed)
        learn(gp, TrainingTable(x, y, folds).select(stratified(x, self.samples.learn)))
        rows, local = stratified(x, self.samples.residuals), (self.n_nodes, self.bandwidth)
        teff, left_out = library.labels[rows, 0], gp.condition(x, y, rows)
        matched = start_errors(library, scaler, self.n_best, stratified(x, self.samples.start))
        return Emulator(
            preprocessor=preprocessor,
            library=library,
            scaler=scaler,
            flux_pca=flux_pca,
            truncation=self._truncation(flux_pca, library.spectra[rows], teff),
            comp_scale=comp_scale,
            gp=gp.eval(),
            residuals=fit_local_covariance(teff, left_out, *local),
            start_error=fit_local_covariance(*matched, *local),
        )

    def _truncation(
        self, flux_pca: FluxPCA, spectra: Spectra, teff: Float[Tensor, " star"]
    ) -> LocalVariance:
        residual = flux_pca.residual(spectra)
        return fit_local_variance(teff, residual, spectra.good, self.n_nodes, self.bandwidth)

    def _learn(
        self, trainer: TrainerFactory, checkpoint: Path
    ) -> Callable[[SharedKernelGP, TrainingTable], None]:
        return lambda gp, table: self.learner.learn(gp, table, trainer, checkpoint)
