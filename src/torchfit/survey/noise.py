"""How the noise of a survey runs with wavelength, from stars of every temperature all over it."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from torchfit.likelihood.noise import NodeNoise, NoiseShape, nearest_node
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import NoiseModule
from torchfit.spectra import evenly
from torchfit.survey.datamodule import SampleDataset
from torchfit.survey.devices import Devices
from torchfit.survey.match import MatchedSurvey
from torchfit.survey.stage_writer import ArrayWriter

NOISE_STARS = 2048
"""Most stars of a node in temperature whose noise is looked at."""


def estimate_noise(
    survey: MatchedSurvey, fitter: BatchFitter, devices: Devices, folder: Path
) -> NoiseShape | None:
    """Estimate how the survey's noise runs with wavelength, for a metric that shares matrices.

    Args:
        survey: The matched survey.
        fitter: Gives grid, nodes and metric.
        devices: Who does it, a node each at a time.
        folder: Where the shape of each node goes; those that are there are kept.

    Returns:
        The shape, the same in every process; ``None`` where every star has its own matrices.
    """
    if fitter.settings.metric.sharing is None:
        return None
    nodes, n_pix = fitter.emulator.residuals.nodes, len(fitter.emulator.wave)
    observed = survey.observed  # Coadds share no matrices, and have another noise.
    stars = _stars_of_nodes(observed.teff, nodes.numpy())
    pieces, paths = list(stars.values()), [node_path(folder, node) for node in stars]
    left = [number for number, path in enumerate(paths) if not path.exists()]
    n_stars, n_left = sum(map(len, pieces)), sum(len(pieces[number]) for number in left)
    writer = ArrayWriter("noise", paths, n_stars, n_stars - n_left)
    dataset = SampleDataset(observed.packed, pieces, left)
    devices.run(NoiseModule(fitter, devices.at_once), dataset, writer)
    arrays = (torch.from_numpy(np.load(path)) for path in paths)
    found = dict(zip(stars, map(NodeNoise.from_array, arrays), strict=True))
    return NoiseShape.of(nodes, n_pix, found)


def node_path(folder: Path, node: int) -> Path:
    """Where the shape of a node goes."""
    return folder / f"noise-{node:03d}.npy"


def _stars_of_nodes(
    teff: Float[np.ndarray, " star"], nodes: Float[np.ndarray, " node"]
) -> dict[int, Int[np.ndarray, " chosen"]]:
    """Places of some stars of each node that has any; a star without start labels has no node."""
    known = np.flatnonzero(np.isfinite(teff))
    node = nearest_node(torch.from_numpy(nodes), torch.from_numpy(teff[known])).numpy()
    return {int(each): evenly(known[node == each], NOISE_STARS) for each in np.unique(node)}
