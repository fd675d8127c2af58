"""Repeats of real LAMOST stars: what two nights of a star differ by, and its labels with them.

    python benchmarks/repeats.py --lamost FOLDER

Spectra of one place on the sky, in disjoint pairs of different nights, brightest first. ``labels``:
robust scatter and root mean square (clipped at four times that) of the differences of the labels
of pairs over the square root of two, and the percentages of pairs within one error: ``random``, the
random part of the errors of the catalogue without repeats; ``taught``, the same learned from the
repeats of the other half of the stars; ``total``, the whole. Bins are of the mean signal-to-noise
ratio in g; halves A and B are every other star along the sky, so that what one half suggests the
other can confirm. ``spectra``: how much likelier the difference of two spectra is under a method's
nuisances than under those of the first, ln L per pair in the median, with no model but the spectra;
and the correlation of what is left at distances of 2-10, 15-30 and 40-60 Angstrom, in units of the
variance that the survey's errors predict. Methods: the fit with other nuisances, and as peers the
mean of the five best matches and The Cannon by class.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import lightning
import numpy as np
import torch
from astropy import units
from astropy.coordinates import SkyCoord
from jaxtyping import Bool, Float, Int
from torch import Tensor

from joint import measured
from peer_models import PEERS
from peers import common_pixels, fold_of
from record import record
from settings import artefact_of, build, composed, fitter
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.library.scaling import LabelScaler
from torchfit.likelihood.gaps import without_gaps
from torchfit.likelihood.nuisance import Nuisance
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.spectra import Spectra, Spectrum
from torchfit.surveys.lamost import LamostReader
from torchfit.uncertainty.error_model import ErrorModel
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels
from torchfit.uncertainty.library_errors import LibraryErrors
from torchfit.uncertainty.repeats import Visits, learn_random

RADIUS = 3.0
"""Arcseconds within which two spectra are of one star: names follow the plan of a night."""
COOLER = 7500.0
"""Hotter stars are too few to be counted with the others."""
BINS = {"30-50": (0.0, 50.0), "> 50": (50.0, np.inf), "all": (0.0, np.inf)}
ANY_RATIO = 2.0
"""Pairs of all ratios teach: few are within the usual tolerance."""
LAGS = {"2-10": (2, 11), "15-30": (15, 31), "40-60": (40, 61)}


def continuum(degree: int, sigma: float) -> list[str]:
    """Overrides of the continuum."""
    nuisance = "metric.nuisance.continuum"
    return [f"{nuisance}_degree={degree}", f"{nuisance}_sigma={sigma}"]


METHODS = {
    "metric=common": [],
    "degree 10, 0.005": continuum(10, 0.005),
    "degree 20, 0.02": continuum(20, 0.02),
    "degree 40, 0.005": continuum(40, 0.005),
    "metric=lamost": ["metric=lamost", "metric.sharing=null"],
    "degree 100, 0.005": continuum(100, 0.005),
    "line width": ["metric.nuisance.broadening_sigma=0.3"],
    "1 % noise floor": ["metric.noise_floor=0.01"],
    "no prior": ["metric=lamost", "metric.sharing=null", "metric.prior_strength=0"],
}
"""Overrides of the fit of every star by itself: the model of the presets without its sharing."""


@dataclass(frozen=True)
class Repeated:
    """Spectra of stars seen on several nights.

    Args:
        spectra: Normalised.
        emulator: At their resolution.
        snr: Signal-to-noise ratio in g.
        star: Number of the star of each spectrum along the sky.
        night: When it was taken.
        pair: Places of the two spectra of each pair.
    """

    spectra: Spectra
    emulator: Emulator
    snr: Float[np.ndarray, " spectrum"]
    star: Int[np.ndarray, " spectrum"]
    night: Int[np.ndarray, " spectrum"]
    pair: Int[np.ndarray, "pair two"]

    @classmethod
    def read(cls, folder: Path, trained: Emulator) -> "Repeated":
        """The repeats below a folder."""
        reader = LamostReader(str(folder))
        read = [each for _, each in reader.spectra(reader.sources()) if isinstance(each, Spectrum)]
        emulator = trained.at_resolution(reader.lsf_fwhm_at(trained.wave))
        windows = build(composed(["pack=lamost"]).pack).windows
        spectra = emulator.survey_preprocessor(read, windows).to(torch.float64)
        snr = np.array([each.info.snr["g"] for each in read])
        star, night = same_place(read), np.array([each.info.mjd for each in read])
        return cls(spectra, emulator, snr, star, night, paired(star, night, snr))

    def chosen(self) -> Iterator[tuple[str, str, Bool[np.ndarray, " pair"]]]:
        """Name of the bin, the half, and its pairs of stars that are not hot."""
        snr = self.snr[self.pair].mean(axis=1)
        cool = (self.start[self.pair, 0].mean(dim=1) < COOLER).numpy()
        for name, (low, high) in BINS.items():
            inside = cool & (snr >= low) & (snr < high)
            yield name, "both", inside
            for half in (0, 1):
                yield name, "AB"[half], inside & (self.star[self.pair[:, 0]] % 2 == half)

    @cached_property
    def start(self) -> Float[Tensor, "spectrum label"]:
        """Labels of the matching."""
        return fitter(composed(), self.emulator).match(self.spectra).start

    @cached_property
    def model(self) -> Float[Tensor, "spectrum pix"]:
        """Spectra of these labels, for shapes of nuisances."""
        return without_gaps(self.emulator, self.emulator.flux(self.start))


def same_place(spectra: list[Spectrum]) -> Int[np.ndarray, " spectrum"]:
    """Number of the star of each spectrum, in order along the sky."""
    place = SkyCoord([s.info.ra for s in spectra], [s.info.dec for s in spectra], unit="deg")
    one, other, _, _ = place.search_around_sky(place, RADIUS * units.arcsec)
    first = np.full(len(spectra), len(spectra))
    np.minimum.at(first, one, other)
    leader, number = np.unique(first, return_inverse=True)
    along = np.argsort(np.argsort(place.ra.deg[leader]))
    return along[number]


def paired(star: np.ndarray, night: np.ndarray, snr: np.ndarray) -> Int[np.ndarray, "pair two"]:
    """Disjoint pairs of spectra of a star at different nights, those of highest ratio first."""
    pairs: list[tuple[int, int]] = []
    for number in np.unique(star):
        seen = [int(row) for row in np.flatnonzero(star == number)]
        seen.sort(key=lambda row: -snr[row])
        pairs += [
            (one, other)
            for one, other in zip(seen[::2], seen[1::2], strict=False)
            if night[one] != night[other]
        ]
    return np.array(pairs)


def ours(sample: Repeated, overrides: list[str], errors: LibraryErrors) -> list[np.ndarray]:
    """Labels, and their errors: random, taught by the repeats of the other half, and whole."""
    found = measured(fitter(composed(overrides), sample.emulator), sample.spectra)
    known, snr = MeasuredLabels(found.labels, found.errors), torch.from_numpy(sample.snr)
    plain = errors.calibrate(known, snr)
    taught = torch.empty_like(plain.random)
    for half in (0, 1):
        model = of_repeats(sample, errors.with_noise(known, snr), 1 - half)
        here = torch.from_numpy(sample.star % 2 == half)
        taught[here] = errors.calibrate(known, snr, [model]).random[here]
    return [each.numpy() for each in (found.labels, plain.random, taught, plain.total)]


def of_repeats(sample: Repeated, known: MeasuredLabels, half: int) -> ErrorModel:
    """The factor of the random errors from the repeats of half of the stars."""
    learning = replace(build(composed().uncertainty).learning, snr_tolerance=ANY_RATIO)
    row = np.flatnonzero(sample.star % 2 == half)
    names = sample.star[row].astype(str)
    visits = Visits(names, sample.night[row], sample.snr[row], row)
    errors = LabelErrors(known.errors.model[row], known.errors.noise[row])
    some = MeasuredLabels(known.labels[row], errors)
    model = learn_random(learning, visits, some, sample.emulator.label_names)
    assert model is not None
    return model


def peer(sample: Repeated, name: str) -> list[np.ndarray]:
    """Labels of a peer, and the errors that it states, NaN for none."""
    library, start = sample.emulator.library, sample.start
    scaler = LabelScaler.fit(library.labels)
    if name == "cfi5":
        unit, own = scaler.to_unit(start).numpy(), None
    else:
        common = common_pixels(sample.spectra) & common_pixels(library.spectra)
        unit, own = PEERS[name](fold_of(library, sample.spectra, common, scaler))
    labels = scaler.from_unit(torch.from_numpy(unit))
    none = torch.full_like(labels, torch.nan)
    errors = none if own is None else torch.from_numpy(own) * scaler.scale(labels)
    return [labels.numpy(), errors.numpy(), none.numpy(), errors.numpy()]


def label_rows(sample: Repeated, method: str, found: list[np.ndarray]) -> Iterator[Row]:
    """Differences of the labels of pairs and the shares within the errors."""
    one, other = sample.pair.T
    labels, *claims = found
    difference = labels[one] - labels[other]
    widths = [np.hypot(claim[one], claim[other]) for claim in claims]
    for name, half, here in sample.chosen():
        row: dict[str, str | int | float] = {
            "method": method, "S/N_g": name, "half": half, "pairs": int(here.sum())
        }  # fmt: skip
        for place, label in enumerate(("T", "g", "Fe")):
            off = difference[here, place]
            row[label] = robust_sigma(off) / 2**0.5
            row[f"rms {label}"] = clipped_rms(off) / 2**0.5
            for kind, width in zip(("random", "taught", "total"), widths, strict=True):
                inside = np.abs(off) < width[here, place]
                known = np.isfinite(width[here, place]).all()
                row[f"{kind} {label}"] = 100 * float(inside.mean()) if known else float("nan")
        yield row


def clipped_rms(off: np.ndarray) -> float:
    """Root mean square of differences, none counted as more than four robust deviations."""
    most = 4 * robust_sigma(off)
    return float(np.sqrt(np.mean(np.clip(off, -most, most) ** 2)))


@dataclass(frozen=True)
class Difference:
    r"""The difference d of the spectra of a pair under nuisances T of prior :math:`\Lambda`.

    .. math:: \ln L = -\tfrac12 (d^T C^{-1} d + \ln|C|), \quad C = N + 2\, T \Lambda T^T

    Args:
        log_likelihood: ln L without its constant.
        left: d without the most probable nuisances, over its standard deviation; 0 in bad pixels.
        good: Pixels good in both.
    """

    log_likelihood: float
    left: Float[Tensor, " pix"]
    good: Bool[Tensor, " pix"]

    @classmethod
    def of(cls, sample: Repeated, pair: np.ndarray, nuisance: Nuisance) -> "Difference":
        """The difference of a pair."""
        spectra, emulator = sample.spectra[torch.from_numpy(pair)], sample.emulator
        good = spectra.good.all(dim=0) & emulator.flux_pca.good
        variance = torch.where(good, 1 / spectra.ivar, 1.0).sum(dim=0)
        root = torch.where(good, variance.rsqrt(), 0.0)
        sigma = torch.tensor(nuisance.sigma, dtype=torch.float64) * 2**0.5
        columns = nuisance.columns(emulator.wave, sample.model[pair[:1]])[0] * sigma
        white = root[:, None] * columns
        y = root * torch.where(good, spectra.flux[0] - spectra.flux[1], 0.0)
        gram = white.mT @ white
        factor = torch.linalg.cholesky(gram + torch.eye(len(gram), dtype=gram.dtype))
        found = torch.cholesky_solve((white.mT @ y)[:, None], factor)[:, 0]
        chi2 = y @ y - (white.mT @ y) @ found
        log_det = variance[good].log().sum() + 2 * factor.diagonal().log().sum()
        return cls(-0.5 * float(chi2 + log_det), y - white @ found, good)

    def correlation(self, lags: range) -> tuple[float, float]:
        """Sum of the products of what is left at these distances, and their number."""
        value, good = self.left.clamp(-4, 4), self.good
        products = sum(float(value[lag:] @ value[:-lag]) for lag in lags)
        return products, sum(float((good[lag:] & good[:-lag]).sum()) for lag in lags)


def spectrum_rows(sample: Repeated, methods: dict[str, Nuisance]) -> Iterator[Row]:
    """Likelihood and correlation of the differences of spectra."""
    found = {
        name: [Difference.of(sample, pair, nuisance) for pair in sample.pair]
        for name, nuisance in methods.items()
    }
    likelihood = {name: np.array([d.log_likelihood for d in each]) for name, each in found.items()}
    first = next(iter(likelihood.values()))
    for name, differences in found.items():
        for snr, half, here in sample.chosen():
            row: dict[str, str | int | float] = {
                "method": name, "S/N_g": snr, "half": half, "pairs": int(here.sum()),
                "ln L": float(np.median((likelihood[name] - first)[here])),
            }  # fmt: skip
            for lag, limits in LAGS.items():
                inside = [differences[pair] for pair in np.flatnonzero(here)]
                products, number = np.sum([d.correlation(range(*limits)) for d in inside], axis=0)
                row[f"corr {lag}"] = float(products / number)
            yield row


def different_nuisances() -> dict[str, Nuisance]:
    """The nuisances of the methods; of methods that have the same, those of the first."""
    found: dict[str, Nuisance] = {}
    for name, overrides in METHODS.items():
        nuisance = build(composed(overrides).metric).nuisance
        if nuisance not in found.values():
            found[name] = nuisance
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lamost", type=Path, required=True, help="folder of LAMOST spectra")
    parser.add_argument("--emulator", type=Path, default=Path("outputs/train/miles/emulator"))
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    folder = artefact_of(args.emulator)
    errors = LibraryErrors.load(folder)
    sample = Repeated.read(args.lamost, load_emulator(folder))
    record("repeats_spectra", list(spectrum_rows(sample, different_nuisances())))
    rows: list[Row] = []
    for name in ("cfi5", "cannon by class"):
        rows += label_rows(sample, name, peer(sample, name))
    for name, overrides in METHODS.items():
        rows += label_rows(sample, name, ours(sample, overrides, errors))
    record("repeats", rows)


if __name__ == "__main__":
    main()
