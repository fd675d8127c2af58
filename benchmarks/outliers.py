"""What defects do to labels, and what clipping mends.

    python benchmarks/outliers.py

A fifth of MILES is measured by an emulator of the rest, as it is and with defects put in: cosmic
rays, residuals of sky lines, emission in the Balmer lines, dead pixels. Robust scatter of the
labels without clipping, with symmetric clipping at three sigma as in ULySS, and with the default;
and the shares of defective and of sound pixels that were clipped.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import lightning
import numpy as np
import torch

from record import record
from settings import build, composed, fitter
from torchfit.library.folds import folds_by_star
from torchfit.measure.batch import GroupBatch
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.spectra import Spectra

WAYS = {
    "none": ["metric.outliers=null"],
    "3 sigma, both sides": ["metric.outliers.upper=3", "metric.outliers.lower=3"],
    "default": [],
}
BALMER = (4862.69, 6564.61)
SKY = (5578.9, 5891.6, 5897.6, 6302.0, 6365.5)


def cosmic_rays(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Twenty hits of two or three pixels."""
    extra = np.zeros_like(wave)
    for place in rng.integers(0, len(wave) - 3, 20):
        extra[place : place + rng.integers(2, 4)] += rng.uniform(0.1, 0.8)
    return extra


def sky_residuals(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Badly subtracted lines of the night sky, too high or too low."""
    height = rng.uniform(-0.4, 0.4, len(SKY))
    return sum(
        h * np.exp(-0.5 * ((wave - line) / 1.3) ** 2) for h, line in zip(height, SKY, strict=True)
    )


def emission(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Emission in H alpha and H beta."""
    height = rng.uniform(0.1, 0.6)
    return sum(height * np.exp(-0.5 * ((wave - line) / 2.0) ** 2) for line in BALMER)


def dead_pixels(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ten unrecorded bad columns of two pixels."""
    extra = np.zeros_like(wave)
    for place in rng.integers(0, len(wave) - 2, 10):
        extra[place : place + 2] -= rng.uniform(0.3, 0.9)
    return extra


DEFECTS = {
    "as it is": lambda wave, rng: np.zeros_like(wave),
    "cosmic rays": cosmic_rays,
    "sky residuals": sky_residuals,
    "Balmer emission": emission,
    "dead pixels": dead_pixels,
}


def with_defects(spectra: Spectra, kind: str) -> tuple[Spectra, torch.Tensor]:
    """Spectra with one kind of defect, and which good pixels it has touched by over 3 %."""
    wave = spectra.wave.numpy()
    extra = np.stack(
        [DEFECTS[kind](wave, np.random.default_rng(star)) for star in range(len(spectra))]
    )
    added = torch.from_numpy(extra)
    flux = torch.where(spectra.good, spectra.flux + added, spectra.flux)
    return replace(spectra, flux=flux), (added.abs() > 0.03) & spectra.good


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="outliers")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    cfg = composed()
    library = build(cfg.library)(preprocessor=build(cfg.preprocess))
    fold = folds_by_star(library.star_names, 5, 0)
    with tempfile.TemporaryDirectory() as folder:
        emulator = build(cfg.emulator).train(
            library.select(fold != 0), build(cfg.preprocess), build(cfg.trainer),
            Path(folder) / "fold.ckpt",
        )  # fmt: skip
    test = (fold == 0).nonzero()[:, 0]
    truth = library.labels[test]
    rows: list[Row] = []
    for kind in DEFECTS:
        spectra, touched = with_defects(library.spectra[test], kind)
        for way, overrides in WAYS.items():
            method = fitter(composed([*overrides]), emulator)
            start = method.match(spectra).start
            fitted = method.fitting.fit(emulator, spectra, start, None)
            measured = method.measure(GroupBatch(test, torch.zeros_like(test), spectra))
            error = (measured.labels - truth)[:, :3]
            cool = (truth[:, 0] > 4000) & (truth[:, 0] < 7500)
            scatter = [robust_sigma(error[cool, label].numpy()) for label in range(3)]
            sound = spectra.good & ~touched
            rows.append(
                {
                    "defect": kind,
                    "clipping": way,
                    "n": int(cool.sum()),
                    "sigma_teff": scatter[0],
                    "sigma_logg": scatter[1],
                    "sigma_fe_h": scatter[2],
                    "found": float((fitted.clipped & touched).sum() / touched.sum().clamp_min(1)),
                    "sound_lost": float((fitted.clipped & sound).sum() / sound.sum()),
                    "rchi2": float(measured.rchi2.nanmedian()),
                }
            )
    record(args.name, rows)


if __name__ == "__main__":
    main()
