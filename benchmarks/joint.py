"""What fitting all exposures of a star together gains, on mock repeats and on real ones of LAMOST.

    python benchmarks/joint.py --mock outputs/train/mastar_mock/emulator
    python benchmarks/joint.py --lamost FOLDER --emulator outputs/train/miles/emulator

Four exposures of each mock star, of one night each, and as many of each real star as there are. In
the same run: each exposure by itself, the mean of these fits (weighted by their errors), the usual
fit of the coadd, and the joint fit. Mock labels are compared with the truth. Of both samples halves
are compared: all methods measure a star twice, of mock stars from two exposures each, of real ones
from all exposures with two draws of more noise, which alone would make the S/N of the row, four
times over.
Numbers are robust scatters, of halves over the square root of two, and for real stars the median
errors that the Fisher matrix expects.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int

from record import record
from settings import build, composed, fitter
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.likelihood.joint_spectra import JointSpectra, coadd
from torchfit.measure.batch import GroupBatch
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.measurement import Measurement
from torchfit.mock.lamost import MockLamostReader
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.spectra import Spectra, Spectrum
from torchfit.survey.same_star import stars_of
from torchfit.surveys.lamost import LamostReader

N_EXPOSURES, N_DRAWS = 4, 4
FGK = (4000.0, 7500.0)
Labels = Float[np.ndarray, "star label"]


@dataclass(frozen=True)
class Repeated:
    """Every star is observed equally often.

    Args:
        n: How often.
    """

    n: int

    def star(self, observation: int) -> tuple[int, int]:
        """Star and visit of an observation."""
        return observation // self.n * self.n, observation % self.n


def measured(method: BatchFitter, spectra: Spectra) -> Measurement:
    """Measure stars that need no groups."""
    star = torch.arange(len(spectra))
    return method.measure(GroupBatch(star, torch.zeros_like(star), spectra))


def one_by_one(method: BatchFitter, exposures: Spectra, star: Int[torch.Tensor, " e"]) -> Labels:
    """Labels of the first exposure of each star."""
    first = torch.cat([torch.ones(1, dtype=torch.bool), star.diff() > 0])
    return measured(method, exposures[first]).labels.numpy()


def mean(method: BatchFitter, exposures: Spectra, star: Int[torch.Tensor, " e"]) -> Labels:
    """Means of the labels of the exposures, weighted by their errors."""
    found = measured(method, exposures)
    weight = pd.DataFrame(found.errors.total.pow(-2).numpy())
    total = (weight * found.labels.numpy()).groupby(star.numpy()).sum()
    return (total / weight.groupby(star.numpy()).sum()).to_numpy()


def of_coadd(method: BatchFitter, exposures: Spectra, star: Int[torch.Tensor, " e"]) -> Labels:
    """Labels of the coadds, each as if it were a single spectrum."""
    return measured(method, coadd(exposures, star)).labels.numpy()


def together(method: BatchFitter, exposures: Spectra, star: Int[torch.Tensor, " e"]) -> Labels:
    """Labels of all exposures together."""
    return measured(method, JointSpectra.of(exposures, star)).labels.numpy()


METHODS: dict[str, Callable[..., Labels]] = {
    "one exposure": one_by_one,
    "mean of single fits": mean,
    "fit of the coadd": of_coadd,
    "joint": together,
}


def rows_of(
    sample: str, what: str, offs: dict[str, Labels], names: Sequence[str], seconds: dict[str, float]
) -> Iterator[Row]:
    """Robust scatter of every label by every method."""
    for name, off in offs.items():
        yield {
            "sample": sample, "what": what, "method": name, "n": len(off),
            **{label: robust_sigma(column) for label, column in zip(names, off.T, strict=True)},
            "stars/s": round(len(off) / seconds[name], 1),
        }  # fmt: skip


def halves(
    method: BatchFitter, pair: Sequence[Spectra], star: Int[torch.Tensor, " e"]
) -> tuple[dict[str, Labels], dict[str, float]]:
    """Differences of two measurements of every star over the square root of two, and times."""
    offs, seconds = {}, {}
    for name, labels in METHODS.items():
        begin = process_time()
        one, other = (labels(method, each, star) for each in pair)
        seconds[name] = (process_time() - begin) / 2
        offs[name] = (one - other) / np.sqrt(2)
    return offs, seconds


def mock_rows(emulator: Emulator, snr: float, n_stars: int) -> Iterator[Row]:
    """Mock stars against the truth, and half of their exposures against the other half."""
    reader = MockLamostReader(n_stars * N_EXPOSURES, seed=5, snr=snr)
    reader.survey = replace(reader.survey, visits=Repeated(N_EXPOSURES))
    read = [spectrum for _, spectrum in reader.spectra(reader.sources())]
    spectra = [each for each in read if isinstance(each, Spectrum)]
    assert len(spectra) == len(read)
    cfg = composed(["data=lamost_mock"])
    seen = emulator.at_resolution(reader.lsf_fwhm_at(emulator.wave))
    exposures = seen.survey_preprocessor(spectra, build(cfg.pack).windows).to(torch.float64)
    names = seen.label_names
    truth = np.array([[each.info.labels[name] for name in names] for each in spectra])
    truth = truth[::N_EXPOSURES]
    inside = (truth[:, 0] > FGK[0]) & (truth[:, 0] < FGK[1])
    kept = torch.from_numpy(np.repeat(inside, N_EXPOSURES))
    exposures, truth = exposures[kept], truth[inside]
    star = torch.arange(len(truth)).repeat_interleave(N_EXPOSURES)
    method = fitter(composed(), seen)
    seconds, offs = {}, {}
    for name, labels in METHODS.items():
        begin = process_time()
        offs[name] = labels(method, exposures, star) - truth
        seconds[name] = process_time() - begin
    sample = f"mock FGK, S/N {snr:.0f}, {N_EXPOSURES} exposures"
    yield from rows_of(sample, "off the truth", offs, names, seconds)
    half = torch.arange(len(star)) % N_EXPOSURES < N_EXPOSURES // 2
    pair = [exposures[half], exposures[~half]]
    offs, seconds = halves(method, pair, star[half])
    yield from rows_of(sample, "halves", offs, names, seconds)


def real_rows(emulator: Emulator, folder: Path, snrs: Sequence[float]) -> Iterator[Row]:
    """Repeats of LAMOST with two draws of more noise."""
    reader = LamostReader(str(folder))
    read = [spectrum for _, spectrum in reader.spectra(reader.sources())]
    spectra = [each for each in read if isinstance(each, Spectrum)]
    star = stars_of(lambda name: pd.Series([getattr(each.info, name) for each in spectra]))
    several = np.flatnonzero(np.bincount(star)[star] > 1)
    several = several[np.argsort(star[several], kind="stable")]
    seen = emulator.at_resolution(reader.lsf_fwhm_at(emulator.wave))
    cfg = composed(["pack=lamost", "preprocess=miles"])
    chosen = [spectra[row] for row in several]
    exposures = seen.survey_preprocessor(chosen, build(cfg.pack).windows).to(torch.float64)
    place = torch.from_numpy(pd.factorize(star[several])[0])
    method = fitter(composed(), seen)
    alone, joint = measured(method, exposures), measured(method, JointSpectra.of(exposures, place))
    first = torch.cat([torch.ones(1, dtype=torch.bool), place.diff() > 0])
    sample = f"{folder.name} of LAMOST, {len(joint)} stars, {len(exposures)} exposures"
    for name, found in (("one exposure", alone[first.nonzero()[:, 0]]), ("joint", joint)):
        error = found.errors.total.median(dim=0).values.tolist()
        labels = dict(zip(seen.label_names, error, strict=True))
        row = {"sample": sample, "what": "median error", "method": name, "n": len(found)}
        yield {**row, **labels, "stars/s": np.nan}
    again = place + (place.max() + 1) * torch.arange(N_DRAWS)[:, None]
    for snr in snrs:
        pair = [noisier(Spectra.joined([exposures] * N_DRAWS), snr, seed) for seed in (1, 2)]
        offs, seconds = halves(method, pair, again.flatten())
        yield from rows_of(f"{sample}, S/N {snr:.0f}", "halves", offs, seen.label_names, seconds)


def noisier(spectra: Spectra, snr: float, seed: int) -> Spectra:
    """Spectra with more noise: that of a signal-to-noise ratio per pixel, of a continuum of 1."""
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(spectra.flux.shape, generator=generator, dtype=spectra.flux.dtype)
    good = spectra.good
    ivar = torch.where(good, 1 / (1 / torch.where(good, spectra.ivar, 1.0) + snr**-2), 0.0)
    return replace(spectra, flux=spectra.flux + draw / snr, ivar=ivar)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mock", type=Path, help="folder of the emulator of the mock library")
    parser.add_argument("--lamost", type=Path, help="folder of LAMOST spectra, some repeated")
    parser.add_argument("--emulator", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--stars", type=int, default=300)
    parser.add_argument("--snr", type=float, nargs="+", default=[10.0, 30.0])
    options = parser.parse_args()
    rows: list[Row] = []
    if options.mock:
        emulator = load_emulator(options.mock)
        for snr in options.snr:
            rows += mock_rows(emulator, snr, options.stars)
    if options.lamost:
        rows += real_rows(load_emulator(options.emulator), options.lamost, options.snr)
    record("joint", rows)


if __name__ == "__main__":
    main()
