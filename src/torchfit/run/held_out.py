"""How well an emulator does on stars it has not seen: folds by star."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from tqdm import tqdm

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.training import EmulatorTraining
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.library.sample import stratified
from torchfit.library.scaling import LabelScaler
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.measure.settings import FitSettings
from torchfit.preprocess.compose import Preprocessor
from torchfit.report.training import HeldOut
from torchfit.uncertainty.added_noise import add_noise
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels


@dataclass(frozen=True)
class HeldOutLabels:
    """Labels of library stars from emulators that were not trained on them.

    Args:
        quiet: From their spectra as they are.
        noisy: From their spectra with noise added; NaN for stars to which that was not done.
        matched: Mean labels of the most similar templates of the other folds.
        misfit: Root mean square of observed minus fitted normalised flux.
    """

    quiet: MeasuredLabels
    noisy: MeasuredLabels
    matched: Float[Tensor, "star label"]
    misfit: Float[Tensor, " star"]

    @classmethod
    def unknown(cls, library: Library) -> "HeldOutLabels":
        """No star of a library measured yet."""
        labels = torch.full_like(library.labels, torch.nan)
        return cls(_not_measured(library), _not_measured(library), labels, labels[:, 0].clone())

    def with_rows(self, star: Int[Tensor, " star"], found: Measurement) -> "HeldOutLabels":
        """The same with the spectra of some stars, as they are, measured.

        Args:
            star: Which stars.
            found: Their measurement.

        Returns:
            New tables.
        """
        quiet = self.quiet
        errors = LabelErrors(
            quiet.errors.model.index_copy(0, star, found.errors.model),
            quiet.errors.noise.index_copy(0, star, found.errors.noise),
        )
        return HeldOutLabels(
            MeasuredLabels(quiet.labels.index_copy(0, star, found.labels), errors),
            self.noisy,
            self.matched.index_copy(0, star, found.start),
            self.misfit.index_copy(0, star, (found.sse / found.n_pix).sqrt()),
        )


@dataclass(frozen=True)
class Trial:
    """What an emulator is tried on.

    Args:
        stars: The stars that are held out, fold by fold.
        remake: Makes the emulator that has seen some of them only.
        left_out: Stars that are scored, and never seen by an emulator; ``None`` for none.
    """

    stars: Library
    remake: Callable[[Library], Emulator]
    left_out: Bool[Tensor, " star"] | None = None

    @property
    def may_train(self) -> Bool[Tensor, " star"]:
        """Stars that an emulator may see."""
        none = torch.zeros(len(self.stars), dtype=torch.bool)
        return ~(none if self.left_out is None else self.left_out)


def held_out_stars(library: Library, training: EmulatorTraining) -> Int[Tensor, " star"]:
    """The stars that are held out: of each fold that is tested, all or a stratified sample.

    Args:
        library: The library.
        training: Says how many folds and stars suffice.

    Returns:
        Places of the stars in the library, ascending.
    """
    fold, sizes = _folds(library, training), training.samples
    unit = LabelScaler.fit(library.labels).to_unit(library.labels)
    tested = []
    for number in range(min(training.n_folds, sizes.folds or training.n_folds)):
        members = (fold == number).nonzero()[:, 0]
        tested.append(members[stratified(unit[members], sizes.held_out)])
    return torch.cat(tested).sort().values


def hold_out(
    emulator: Emulator,
    training: EmulatorTraining,
    settings: FitSettings,
    n_noisy: int = 0,
    trial: Trial | None = None,
) -> tuple[HeldOut, HeldOutLabels]:
    """Emulate and measure library stars with an emulator of the other folds.

    PCA, Gaussian process, covariances and templates are those of the other folds; only the few
    hyperparameters were learned on all stars.

    Args:
        emulator: Gives the hyperparameters, the preprocessing and the known pixels.
        training: How emulators are made.
        settings: How to measure.
        n_noisy: Most stars that are measured once more, with noise added.
        trial: Which stars, and what is made of the others; the library, of which an emulator is
            made, if ``None``.

    Returns:
        Observed and emulated flux, true and measured labels of :func:`held_out_stars`; and the
        measured labels with their errors of the whole library, NaN for the others.
    """
    if trial is None:
        trial = Trial(emulator.library, partial(training.with_hyperparameters, emulator))
    library, known = trial.stars, emulator.flux_pca.good
    star, fold = held_out_stars(library, training), _folds(library, training)
    again = star[stratified(emulator.scaler.to_unit(library.labels[star]), n_noisy or 1)][:n_noisy]
    flux = torch.zeros(len(star), len(known), dtype=torch.float32)
    measured = HeldOutLabels.unknown(library)
    with tqdm(fold[star].unique().tolist(), desc="held-out folds", unit="fold") as numbers:
        for number in numbers:
            inside = fold[star] == number
            test, repeat = star[inside], again[fold[again] == number]
            other = trial.remake(library.select((fold != number) & trial.may_train))
            flux[inside] = other.flux(library.labels[test]).float()
            measured = measured.with_rows(test, measure_library(other, library, test, settings))
            if len(repeat):
                rough = _with_noise(
                    library, emulator.survey_preprocessor, repeat, training.seed + number
                )
                everyone = torch.arange(len(repeat))
                _note(measured.noisy, repeat, measure_library(other, rough, everyone, settings))
    chosen = library.select(star)
    held_out = HeldOut(
        labels=chosen.labels.numpy(),
        predicted=measured.quiet.labels[star].numpy(),
        wave=chosen.spectra.wave.numpy(),
        flux=chosen.spectra.flux.float().numpy(),
        model=torch.where(known, flux, torch.nan).numpy(),
        good=(chosen.spectra.good & known).numpy(),
    )
    return held_out, measured


def _not_measured(library: Library) -> MeasuredLabels:
    labels, model, noise = (torch.full_like(library.labels, torch.nan) for _ in range(3))
    return MeasuredLabels(labels, LabelErrors(model, noise))


def _note(labels: MeasuredLabels, star: Int[Tensor, " star"], found: Measurement) -> None:
    """Enter what was found for some stars, in place."""
    labels.labels[star] = found.labels
    labels.errors.model[star] = found.errors.model
    labels.errors.noise[star] = found.errors.noise


def _with_noise(
    library: Library, preprocessor: Preprocessor, star: Int[Tensor, " star"], seed: int
) -> Library:
    """Stars with noise added, normalised as a survey's spectra are: with their noise."""
    some = library.select(star)
    return replace(some, spectra=preprocessor.normalised_again(add_noise(some.spectra, seed)))


def _folds(library: Library, training: EmulatorTraining) -> Int[Tensor, " template"]:
    return folds_by_star(library.star_names, training.n_folds, training.seed)


def measure_library(
    emulator: Emulator, library: Library, test: Int[Tensor, " star"], settings: FitSettings
) -> Measurement:
    """Measure some stars of a library as if they were a survey.

    Args:
        emulator: An emulator that has not seen them.
        library: The library.
        test: Indices of the stars.
        settings: How to measure.

    Returns:
        Labels of the stars, in the order of ``test``.
    """
    fitter = BatchFitter(emulator, settings)
    spectra = library.spectra[test]
    start = fitter.match(spectra).start
    _, group = settings.grouping.order([""] * len(test), start.numpy())
    return fitter.measure(GroupBatch(test, torch.from_numpy(group), spectra))
