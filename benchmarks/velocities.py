"""Velocities from scratch: accuracy and speed, on mock spectra and on real ones of LAMOST.

    python benchmarks/velocities.py
    python benchmarks/velocities.py --lamost FOLDER --emulator outputs/train/miles/emulator

Mock spectra have true velocities; the templates are those of the emulator that ``python train.py
emulator=mastar_mock`` has written. LAMOST's own redshifts are what the real ones are compared with.
The first spectra are measured by two others too: chi-squared on a grid of velocities with the same
templates (scipy), and ``specutils``' correlation with the template that was found best. A rate is
that of one process of one thread, in CPU time.
"""

import argparse
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import process_time

import astropy.units as u
import numpy as np
import torch
from scipy.interpolate import CubicSpline
from specutils import Spectrum as SpecutilsSpectrum
from specutils.analysis import template_correlate

from record import record
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import SpectrumError
from torchfit.mock.lamost import MockLamostReader
from torchfit.names import MAD_TO_SIGMA, SPEED_OF_LIGHT
from torchfit.preprocess.continuum import running_mean
from torchfit.report.rows import Row
from torchfit.spectra import Spectrum
from torchfit.surveys.lamost import LamostReader
from torchfit.velocity.redshifts import VelocityMeasurement
from torchfit.velocity.search import Velocities, VelocitySearch

SKY = ((5570.0, 5585.0), (6296.0, 6306.0), (6360.0, 6369.0))
FAR = 50.0
"""km/s; a velocity further off is an outlier."""
FROM_OURS = "from torchfit (km/s)"
GRID = np.arange(-1500.0, 1501.0, 25.0)
WINDOW = 201
AROUND = 1.5
"""How far the signal-to-noise ratio of a mock spectrum may be from the one named, a factor."""


def timed(measure: Callable[[], np.ndarray], n_stars: int) -> tuple[np.ndarray, float]:
    """Velocities, and spectra measured per second."""
    start = process_time()
    found = measure()
    return found, n_stars / (process_time() - start)


def flattened(spectrum: Spectrum) -> np.ndarray:
    """Flux over its running mean, 1 in bad pixels."""
    flux, good = (torch.from_numpy(x)[None] for x in (spectrum.flux, spectrum.good))
    mean = running_mean(flux.nan_to_num(0.0), good, WINDOW)
    return torch.where(good & (mean > 0), flux / mean, 1.0)[0].clamp(-1, 3).numpy()


def by_grid(spectra: Sequence[Spectrum], splines: CubicSpline, known: CubicSpline) -> np.ndarray:
    """Velocities of least chi-squared, amplitude free, of all templates."""
    return np.array([_least(spectrum, splines, known) for spectrum in spectra])


def _least(spectrum: Spectrum, splines: CubicSpline, known: CubicSpline) -> float:
    flux, low, high = flattened(spectrum) - 1, splines.x[0], splines.x[-1]
    weight = np.where(spectrum.good, np.minimum(spectrum.ivar * spectrum.flux**2, 1e3), 0.0)
    explained = np.empty((len(GRID), splines.c.shape[2]))
    for place, velocity in enumerate(GRID):
        at_rest = spectrum.wave / (1 + velocity / SPEED_OF_LIGHT)
        inside = (at_rest > low) & (at_rest < high) & (known(at_rest) > 0.5)
        model, w = splines(at_rest[inside]), weight[inside]
        explained[place] = (w * flux[inside]) @ model / np.sqrt(w @ model**2)
    curve = explained[:, explained.max(axis=0).argmax()]
    top = int(np.clip(curve.argmax(), 1, len(GRID) - 2))
    below, peak, above = curve[top - 1 : top + 2]
    return float(GRID[top] + 25 * (below - above) / 2 / (below - 2 * peak + above))


def by_specutils(
    spectra: Sequence[Spectrum], templates: Sequence[np.ndarray], wave: np.ndarray
) -> np.ndarray:
    """Velocities of the highest correlation with a template that is known to be the best."""
    return np.array([_correlated(*pair, wave) for pair in zip(spectra, templates, strict=True)])


def _correlated(spectrum: Spectrum, template: np.ndarray, wave: np.ndarray) -> float:
    pixels = spectrum.wave * u.AA
    observed = SpecutilsSpectrum(flux=(flattened(spectrum) - 1) * u.one, spectral_axis=pixels)
    known = SpecutilsSpectrum(flux=template * u.one, spectral_axis=wave * u.AA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        correlation, lags = template_correlate(observed, known)
    lags = lags.to_value(u.km / u.s)
    near = np.flatnonzero(np.abs(lags) < 1500)
    top = near[np.argmax(correlation[near])]
    bottom, middle, end = np.asarray(correlation)[top - 1 : top + 2]
    offset = (bottom - end) / 2 / (bottom - 2 * middle + end)
    return float(lags[top] + offset * (lags[top + 1] - lags[top - 1]) / 2)


def scatter_of(off: np.ndarray) -> float:
    """Robust scatter."""
    return round(float(MAD_TO_SIGMA * np.median(np.abs(off - np.median(off)))), 2)


def row(sample: str, method: str, off: np.ndarray, error: np.ndarray | None, rate: float) -> Row:
    """What is printed of the differences from the truth."""
    centre = np.median(off)
    pull = np.nan if error is None else MAD_TO_SIGMA * np.median(np.abs(off - centre) / error)
    return {
        "sample": sample,
        "method": method,
        "n": len(off),
        "median (km/s)": round(float(centre), 2),
        "scatter (km/s)": scatter_of(off),
        "pull": round(float(pull), 2),
        f"beyond {FAR:.0f} km/s (%)": round(100 * float(np.mean(np.abs(off - centre) > FAR)), 2),
        "spectra/s": round(rate),
        FROM_OURS: np.nan,
    }


class Sample:
    """Spectra with velocities to compare with, and an emulator.

    Args:
        emulator: At their resolution.
        spectra: As read.
        truth: Their velocities in km/s.
        windows: More masked windows than the emulator's.
    """

    def __init__(
        self,
        emulator: Emulator,
        spectra: Sequence[Spectrum],
        truth: Sequence[float],
        windows: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.emulator, self.spectra, self.truth = emulator, spectra, np.asarray(truth)
        self.windows = emulator.preprocessor.windows_with(windows)
        self.search: VelocitySearch = VelocityMeasurement(when="always").search(emulator)

    def rows(self, name: str, chosen: np.ndarray, n_peer: int) -> list[Row]:
        """Ours and, for the first of them, the others."""
        spectra = [self.spectra[place] for place in np.flatnonzero(chosen)]
        truth = self.truth[chosen]
        self.search(spectra[:16], self.windows)
        found: list[Velocities] = []
        _, rate = timed(lambda: found.append(self.search(spectra, self.windows)), len(spectra))
        v, error = found[0].v.numpy(), found[0].error.numpy()
        rows = [row(name, "torchfit", v - truth, error, rate)]
        some = spectra[:n_peer]
        first = v[:n_peer] - truth[:n_peer]
        rows.append(row(name, "the first: torchfit", first, error[:n_peer], rate))
        template = found[0].template[:n_peer].long()
        for method, measure in self.peers(some, template).items():
            theirs, rate = timed(measure, len(some))
            line = row(name, f"the first: {method}", theirs - truth[:n_peer], None, rate)
            rows.append(line | {FROM_OURS: scatter_of(theirs - v[:n_peer])})
        return rows

    def peers(self, some: Sequence[Spectrum], best: torch.Tensor) -> dict[str, Callable]:
        """The other methods."""
        emulator = self.emulator
        labels = VelocityMeasurement().template_labels(emulator)
        good, wave = emulator.flux_pca.good, emulator.wave.numpy()
        flux = torch.where(good, emulator.flux(labels).double(), 1.0)
        mean = running_mean(flux, good.expand_as(flux), WINDOW)
        flat = torch.where(good, flux / mean - 1, 0.0).numpy()
        splines = CubicSpline(wave, flat.T)
        known = CubicSpline(wave, good.double().numpy())
        return {
            "chi-squared on a grid": partial(by_grid, some, splines, known),
            "specutils, its template known": partial(by_specutils, some, flat[best], wave),
        }


def mock_rows(emulator: Emulator, snr: float, n_stars: int, n_peer: int) -> list[Row]:
    """Mock spectra about a signal-to-noise ratio."""
    reader = MockLamostReader(n_stars=n_stars, snr=snr, repeats=0.0, seed=11)
    spectra = [reader.read(source) for source in reader.sources()]
    truth = [SPEED_OF_LIGHT * reader.survey.observe(n).star.z for n in range(n_stars)]
    ratio = np.array([np.median(s.flux[s.good] * np.sqrt(s.ivar[s.good])) for s in spectra])
    at_survey = emulator.at_resolution(reader.lsf_fwhm_at(emulator.wave))
    near = (ratio > snr / AROUND) & (ratio < snr * AROUND)
    return Sample(at_survey, spectra, truth).rows(f"mock, S/N {snr:.0f}", near, n_peer)


def lamost_rows(emulator: Emulator, folder: Path, n_peer: int) -> list[Row]:
    """Real spectra, by signal-to-noise ratio in g, against the redshifts of the survey."""
    reader, spectra = LamostReader(str(folder)), []
    for source in reader.sources():
        try:
            spectra.append(reader.read(source))
        except SpectrumError as error:
            print(error)
    truth = [SPEED_OF_LIGHT * spectrum.info.z for spectrum in spectra]
    snr = np.array([spectrum.info.snr.get("g", np.nan) for spectrum in spectra])
    sample = Sample(emulator.at_resolution(reader.lsf_fwhm_at(emulator.wave)), spectra, truth, SKY)
    bins = {"S/N 5-20": (snr > 5) & (snr <= 20), "S/N above 20": snr > 20}
    return [
        line
        for name, chosen in bins.items()
        if chosen.any()
        for line in sample.rows(f"{folder.name}, {name}", chosen, n_peer)
    ]


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--emulator", default="outputs/train/mastar_mock/emulator")
    parser.add_argument("--lamost", nargs="*", type=Path, default=[], help="folders of spectra")
    parser.add_argument("--n-stars", type=int, default=600, help="mock spectra of each S/N")
    parser.add_argument("--n-peer", type=int, default=20, help="spectra that others measure too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    emulator = load_emulator(Path(options.emulator))
    if options.lamost:
        rows = [r for f in options.lamost for r in lamost_rows(emulator, f, options.n_peer)]
        record("velocities_lamost", rows)
    else:
        rows = [
            r
            for snr in (10.0, 50.0)
            for r in mock_rows(emulator, snr, options.n_stars, options.n_peer)
        ]
        record("velocities", rows)


if __name__ == "__main__":
    main()
