"""How the noise of a survey runs with wavelength, from stars all over it."""

from pathlib import Path

import numpy as np
import torch

from torchfit.likelihood.noise import NoiseShape
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import NoiseModule
from torchfit.spectra import evenly
from torchfit.survey.datamodule import SampleDataset
from torchfit.survey.devices import Devices
from torchfit.survey.match import MatchedSurvey
from torchfit.survey.stage_writer import ArrayWriter

NOISE_STARS = 4096
AT_ONCE = 256


def estimate_noise(
    survey: MatchedSurvey, fitter: BatchFitter, devices: Devices, folder: Path
) -> NoiseShape | None:
    """Estimate how the survey's noise runs with wavelength, for a metric that shares matrices.

    Args:
        survey: The matched survey.
        fitter: Gives grid, nodes and metric.
        devices: Who does it.
        folder: Where the sums of some stars each go; those that are there are kept.

    Returns:
        The shape, the same in every process; ``None`` where every star has its own matrices.
    """
    if fitter.settings.metric.sharing is None:
        return None
    chosen = evenly(np.arange(len(survey.matches)), NOISE_STARS)
    pieces = np.array_split(chosen, -(-len(chosen) // AT_ONCE))
    paths = [sums_path(folder, number) for number in range(len(pieces))]
    left = [number for number, path in enumerate(paths) if not path.exists()]
    dataset = SampleDataset(survey.packed, survey.matches[:, 0], pieces, left)
    n_done = len(chosen) - sum(len(pieces[number]) for number in left)
    writer = ArrayWriter("noise", paths, len(chosen), n_done)
    devices.run(NoiseModule(fitter, devices.at_once), dataset, writer)
    nodes = fitter.emulator.residuals.nodes
    sums = [torch.from_numpy(np.load(path)) for path in paths]
    return NoiseShape.joined([NoiseShape(nodes, *total_and_weight) for total_and_weight in sums])


def sums_path(folder: Path, number: int) -> Path:
    """Where the sums of some stars go."""
    return folder / f"noise-{number:03d}.npy"
