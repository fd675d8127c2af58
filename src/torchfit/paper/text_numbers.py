"""Numbers of the text: components, hyperparameters, stars in range, iterations until the stop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.emulator.cross_validation import HyperparameterGrid, cross_validate
from torchfit.emulator.flux_pca import fit_flux_pca
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel, radial_part
from torchfit.library.folds import folds_by_star
from torchfit.library.library import Library
from torchfit.library.sample import stratified
from torchfit.library.scaling import LabelScaler
from torchfit.optimise.problem import StopReason
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material
from torchfit.report.rows import Row

_FOLDS = 5


def n_components(library: Library, variance: float) -> int:
    """Number of flux components that keep a share of the variance."""
    return fit_flux_pca(library.spectra, variance, None).basis.shape[1]


def cross_validated(
    library: Library, variance: float, grid: HyperparameterGrid, n_stars: int
) -> tuple[float, float, float]:
    """Length scale, amplitude and noise of least held-out error, as the paper finds them.

    Args:
        library: The library.
        variance: Share of the variance that the flux components keep.
        grid: Candidates.
        n_stars: Most stars, as dense in label space as the library is.

    Returns:
        Length scale in unit labels, factor of the kernel, and variance of the noise on
        standardised coefficients.
    """
    scaler = LabelScaler.fit(library.labels)
    some = library.select(stratified(scaler.to_unit(library.labels), n_stars))
    pca = fit_flux_pca(some.spectra, variance, None)
    coefficients = pca.project(some.spectra)
    x, y = scaler.to_unit(some.labels), coefficients / coefficients.std(dim=0)
    gp = SharedKernelGP(build_kernel(x.shape[1], ard=False, linear=False))
    cross_validate(gp, x, y, folds_by_star(some.star_names, _FOLDS, 0), grid)
    radial = radial_part(gp.kernel)
    values = (radial.base_kernel.lengthscale, radial.outputscale, gp.likelihood.noise)
    lengthscale, outputscale, noise = (float(value.detach().flatten()[0]) for value in values)
    return lengthscale, outputscale, noise


def in_range_share(survey: FinishedSurvey) -> float:
    """Share of all spectra with finite labels, rejected ones among all, in percent."""
    finite = np.isfinite(survey.table[list(survey.labels)].to_numpy(dtype=float)).all(axis=1)
    return 100 * float(finite.sum()) / max(len(survey.table) + len(survey.rejects), 1)


def stop_shares(survey: FinishedSurvey, patience: int) -> dict[str, float]:
    """How the groups stopped, in percent.

    Args:
        survey: A survey of the grouped search.
        patience: Iterations without a change until a group stops.

    Returns:
        Shares of the groups that stopped after exactly so many iterations, of those that stopped
        since nothing changed, and the median number of iterations.
    """
    groups = pd.DataFrame(survey.table[["group", "iterations", "stop"]]).groupby("group").first()
    unchanged = (groups["stop"] == str(StopReason.UNCHANGED)).to_numpy()
    iterations = groups["iterations"].to_numpy()
    return {
        "percent of groups that stopped unchanged": 100 * float(unchanged.mean()),
        f"percent of groups with {patience} iterations": 100
        * float((iterations == patience).mean()),
        "median iterations of a group": float(np.median(iterations)),
    }


@dataclass(frozen=True)
class TextNumbers(PaperFigure):
    """Numbers that the paper states in its text, found again.

    Args:
        variance: Share of the variance that the flux components keep.
        lengthscale: Length scales to try.
        outputscale: Amplitudes to try.
        noise: Variances of the noise to try.
        n_stars: Most library stars that the hyperparameters are found with.
        patience: Iterations without a change until a group stops.
    """

    variance: float = 0.95
    lengthscale: Sequence[float] = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
    outputscale: Sequence[float] = (1.0, 2.1, 4.0)
    noise: Sequence[float] = (0.1, 0.3, 1.0)
    n_stars: int = 600
    patience: int = 5
    number = "Text"
    title = "Numbers of the text"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        library, paper = material.emulator.library, material.survey(PAPER).finished
        grid = HyperparameterGrid(self.lengthscale, self.outputscale, self.noise)
        with torch.no_grad():
            scale, amplitude, noise = cross_validated(library, self.variance, grid, self.n_stars)
        ours = {
            f"flux components at {self.variance:.0%} of the variance": float(
                n_components(library, self.variance)
            ),
            "length scale": scale,
            "amplitude": amplitude,
            "noise variance": noise,
            "percent with labels": in_range_share(material.survey(OURS).finished),
            **stop_shares(paper, self.patience),
        }
        rows: list[Row] = [{"quantity": name, "here": value} for name, value in ours.items()]
        text = (
            f"{rows[0]['here']:.0f} components keep {self.variance:.0%} of the variance of "
            f"{len(library)} templates. Cross validation over {self.n_stars} stars at most prefers "
            f"a length scale of {scale:g} and an amplitude of {amplitude:g}."
        )
        sample = f"{len(library)} library spectra, {len(paper.table)} survey stars"
        return Drawing(text, sample, tables=[("Found again", rows)])
