"""A library made of a measured survey: like stars coadded, with their mean labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from torchfit.exceptions import DataError
from torchfit.files.model_reader import model_files, read_models, stars_of
from torchfit.files.model_spectra import BAD, ModelSpectra
from torchfit.names import LABELS
from torchfit.products.coadd import Coadd, Mean, at_rest
from torchfit.products.label_bins import LabelBins

_STORED = ("flux", "ivar", "model")


@dataclass(frozen=True)
class Template:
    """A coadded spectrum with its labels.

    Args:
        name: Name of the template.
        labels: Mean labels of the contributors by name, and ``e_*``, their errors.
        n_stars: Number of contributors.
        mean: The coadded normalised spectrum.
        model: Mean of the contributors' models with the same weights; NaN where unknown.
        snr: Median signal-to-noise ratio per pixel of the template.
        snr_star: The same of a median contributor.
    """

    name: str
    labels: Mapping[str, float]
    n_stars: int
    mean: Mean
    model: Float[np.ndarray, " pix"]
    snr: float
    snr_star: float

    @property
    def residual(self) -> Float[np.ndarray, " pix"]:
        """Flux less model; NaN where there is none of both."""
        return np.where(self.mean.ivar.numpy() > 0, self.mean.flux.numpy() - self.model, np.nan)


@dataclass(frozen=True)
class SurveyLibrary:
    """Makes templates of the good stars of a survey.

    Args:
        bins: Which stars are alike.
        coadd: How they are coadded.
    """

    bins: LabelBins = field(default_factory=LabelBins)
    coadd: Coadd = field(default_factory=Coadd)

    def choose(self, good: pd.DataFrame) -> pd.DataFrame:
        """Choose stars, bin by bin.

        Args:
            good: The recommended stars of a catalogue.

        Returns:
            What :meth:`torchfit.products.label_bins.LabelBins.choose` returns.

        Raises:
            DataError: If no bin has enough stars.
        """
        bands = [name for name in map(str, good) if name.startswith("snr_")]
        snr = good[bands].max(axis=1).fillna(0.0) if bands else 0.0
        chosen = self.bins.choose(good.assign(snr=snr))
        if not len(chosen):
            raise DataError(
                f"none of the bins of labels has library.bins.min_stars={self.bins.min_stars} of "
                f"the {len(good)} good stars: take wider bins, or a larger survey"
            )
        return chosen

    def templates(self, chosen: pd.DataFrame, models: Path, work: Path) -> Iterator[Template]:
        """Coadd the chosen stars, bin by bin, in the memory of one bin and one part.

        Args:
            chosen: What :meth:`choose` has returned.
            models: Folder of their model spectra.
            work: Where spectra lie, sorted by bin, as long as they are needed.

        Yields:
            Templates in the order of the bins.

        Raises:
            DataError: If a chosen star has no spectrum.
        """
        wave, stored = _by_bin(chosen, models, work)
        for number, rows in chosen.groupby("bin"):
            place = slice(rows.index[0], rows.index[-1] + 1)
            spectra = [torch.from_numpy(np.array(stored[name][place], "f8")) for name in _STORED]
            yield self._template(f"bin {number:05d}", rows, wave, spectra)

    def _template(
        self, name: str, stars: pd.DataFrame, wave: torch.Tensor, spectra: list[torch.Tensor]
    ) -> Template:
        flux, ivar, model = spectra
        v_rad = torch.from_numpy(stars["v_rad"].to_numpy(np.float64, copy=True))
        flux, ivar = at_rest(wave, flux, ivar, v_rad)
        mean = self.coadd(flux, ivar)
        known = torch.where(model.isfinite(), model, 0.0)
        share = mean.weight / mean.ivar.clamp_min(1e-30)
        of_model = torch.where(model.isfinite().all(dim=0), (share * known).sum(dim=0), torch.nan)
        weight = mean.weight.mean(dim=1).numpy()
        return Template(
            name=name,
            labels=mean_labels(stars, weight),
            n_stars=len(stars),
            mean=mean,
            model=of_model.numpy(),
            snr=_snr(mean.flux, mean.ivar),
            snr_star=float(np.median([_snr(f, w) for f, w in zip(flux, ivar, strict=True)])),
        )


def mean_labels(stars: pd.DataFrame, weight: Float[np.ndarray, " star"]) -> dict[str, float]:
    r"""Labels of a coadded spectrum: the means of its contributors, with the weights of the flux.

    The random part of the error falls with the number of contributors, the systematic part, which
    all share, does not: :math:`e^2 = \sum (p_s e_s^{ran})^2 + (\sum p_s e_s^{sys})^2`.

    Args:
        stars: Labels of the contributors, ``e_*_ran`` and ``e_*_sys``.
        weight: Weight of every contributor.

    Returns:
        Labels, and ``e_*``.
    """
    share = weight / weight.sum()
    labels: dict[str, float] = {}
    for name in LABELS:
        if name not in stars:
            continue
        random, systematic = (stars[f"e_{name}_{kind}"].to_numpy("f8") for kind in ("ran", "sys"))
        labels[name] = float(share @ stars[name].to_numpy("f8"))
        labels[f"e_{name}"] = float(
            np.sqrt(np.square(share * random).sum() + (share @ systematic) ** 2)
        )
    return labels


def _by_bin(
    chosen: pd.DataFrame, models: Path, work: Path
) -> tuple[torch.Tensor, dict[str, np.ndarray]]:
    """Spectra of the chosen stars on disk, in their order, from one pass over the parts."""
    place = pd.Series(np.arange(len(chosen)), index=chosen["star"].to_numpy())
    stored: dict[str, np.ndarray] = {}
    wave, n_found = torch.empty(0), 0
    for path in model_files(models):
        wanted = np.intersect1d(stars_of(path), place.index)
        if not wanted.size:
            continue
        part = read_models(path, wanted)
        if not stored:
            wave = torch.from_numpy(part.wave)
            stored = _empty(work, (len(chosen), len(part.wave)))
        for name, values in _normalised(part).items():
            stored[name][place[part.star].to_numpy()] = values
        n_found += len(part)
    if n_found != len(chosen):
        raise DataError(f"{models} has {n_found} of {len(chosen)} chosen stars: run infer again")
    return wave, stored


def _empty(work: Path, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    return {
        name: np.lib.format.open_memmap(work / f"{name}.npy", "w+", np.float32, shape)
        for name in _STORED
    }


def _normalised(part: ModelSpectra) -> dict[str, np.ndarray]:
    """Flux over the continuum that the fit has found, and its inverse variance.

    Outliers of a fit stay: what all stars of a bin share is no outlier of the bin.
    """
    good = (part.mask & BAD == 0) & (part.continuum > 0)
    continuum = np.where(good, part.continuum, 1.0)
    return {
        "flux": np.where(good, part.flux / continuum, 0.0),
        "ivar": np.where(good, part.ivar * continuum**2, 0.0),
        "model": part.model,
    }


def _snr(flux: torch.Tensor, ivar: torch.Tensor) -> float:
    """Median signal-to-noise ratio of the good pixels."""
    good = ivar > 0
    return float((flux[good] * ivar[good].sqrt()).median()) if bool(good.any()) else 0.0


def library_table(
    templates: Sequence[Template], wave: np.ndarray, lsf_fwhm: np.ndarray
) -> pd.DataFrame:
    """Templates as the table that ``library=table`` reads.

    Args:
        templates: The templates.
        wave: Vacuum wavelength in Angstrom.
        lsf_fwhm: Resolution, full width at half maximum in Angstrom.

    Returns:
        A row a template: name, labels and their errors, number of stars, and the arrays ``wave``,
        ``flux``, ``ivar``, ``lsf_fwhm``, ``n_contributors``, ``model``.
    """
    return pd.DataFrame(
        [
            {
                "name": each.name,
                **each.labels,
                "n_stars": each.n_stars,
                "snr": each.snr,
                "snr_star": each.snr_star,
                "wave": wave,
                "flux": each.mean.flux.numpy(),
                "ivar": each.mean.ivar.numpy(),
                "lsf_fwhm": lsf_fwhm,
                "n_contributors": each.mean.n_contributors.numpy(),
                "model": each.model,
            }
            for each in templates
        ]
    )
