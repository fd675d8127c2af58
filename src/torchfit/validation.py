"""How well an emulator does on stars it has not seen: folds by star."""

import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm

from torchfit.data.datamodule import GroupBatch
from torchfit.emulator.emulator import Emulator
from torchfit.inference import Inference, Measured
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.report.training import HeldOut
from torchfit.training import EmulatorTraining


def hold_out(emulator: Emulator, training: EmulatorTraining, inference: Inference) -> HeldOut:
    """Emulate and measure every library star with an emulator of the other folds.

    PCA, Gaussian process, covariances and templates are those of the other folds; only the few
    hyperparameters were learned on all stars.

    Args:
        emulator: The emulator of all stars.
        training: How emulators are made.
        inference: Settings of the measurement.

    Returns:
        Observed and emulated flux, true and measured labels of every star.
    """
    library = emulator.library
    fold = folds_by_star(library.star_names, training.n_folds, training.seed)
    known = emulator.flux_pca.good
    flux = torch.zeros_like(library.spectra.flux, dtype=torch.float32)
    predicted = torch.full_like(library.labels, torch.nan)
    with tqdm(range(training.n_folds), desc="held-out folds", unit="fold") as numbers:
        for number in numbers:
            test = (fold == number).nonzero()[:, 0]
            other = training.with_hyperparameters(emulator, library.select(fold != number))
            flux[test] = other.flux(library.labels[test]).float()
            predicted[test] = measure_library(other, library, test, inference).labels
    return HeldOut(
        labels=library.labels.numpy(),
        predicted=predicted.numpy(),
        wave=library.spectra.wave.numpy(),
        flux=library.spectra.flux.float().numpy(),
        model=torch.where(known, flux, torch.nan).numpy(),
        good=(library.spectra.good & known).numpy(),
    )


def measure_library(
    emulator: Emulator, library: Library, test: Int[Tensor, " star"], settings: Inference
) -> Measured:
    """Measure some stars of a library as if they were a survey.

    Args:
        emulator: An emulator that has not seen them.
        library: The library.
        test: Indices of the stars.
        settings: Settings of the measurement; its emulator is not used.

    Returns:
        Labels of the stars, in the order of ``test``.
    """
    inference = Inference(
        emulator, settings.matching, settings.grouping, settings.fitting, settings.flagging
    )
    spectra = library.spectra[test]
    _, start = inference.start(spectra)
    _, group = settings.grouping.order([""] * len(test), start.numpy())
    return inference.measure(GroupBatch(test, torch.from_numpy(group), spectra))
