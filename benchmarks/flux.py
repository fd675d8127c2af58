"""Flux of mock stars that an emulator of the mock library has never met, nearly without noise.

    python train.py emulator=mastar_mock library.reader.n_stars=19880
    python benchmarks/flux.py

The stars are new draws from the population of the library, observed at a signal-to-noise ratio of
500: what is left of observed minus emulated flux is the emulator's own error, and little else. The
peer is the mean of the five templates that correlate best.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from record import record
from settings import build, composed, fitter
from torchfit.emulator.artefact import load_emulator
from torchfit.mock.population import LIBRARY
from torchfit.report.metrics import TEFF_BINS, TeffRange, robust_sigma
from torchfit.report.rows import Row

N_BEST = 5


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", type=Path, default=Path("outputs/train/mastar_mock/emulator"))
    parser.add_argument("--stars", type=int, default=1000)
    args = parser.parse_args()
    emulator = load_emulator(args.emulator)
    cfg = composed(
        ["emulator=mastar_mock", "match=components", "library.reader.seed=77",
         f"library.reader.n_stars={args.stars}"]
    )  # fmt: skip
    reader = build(cfg.library.reader)
    clear = replace(LIBRARY, snr=500.0, snr_scatter=0.0)
    reader.survey = replace(reader.survey, population=clear)
    library = build(cfg.library)(preprocessor=emulator.preprocessor, reader=reader)
    good = library.spectra.good & emulator.flux_pca.good
    cfi = fitter(cfg, emulator).match(library.spectra).cfi
    templates = emulator.library.spectra.flux[cfi.topk(N_BEST, dim=1).indices]
    models = {"emulator": emulator.flux(library.labels), "five best": templates.mean(dim=1)}
    rows: list[Row] = []
    for name, model in models.items():
        for kind in (*TEFF_BINS, TeffRange("all", 0.0, float("inf"))):
            here = torch.from_numpy(kind.contains(library.labels[:, 0].numpy()))
            residual = (library.spectra.flux - model)[here][good[here]]
            rows.append(
                {
                    "method": name,
                    "teff": kind.name,
                    "stars": int(here.sum()),
                    "rms": float(residual.square().mean().sqrt()),
                    "sigma_robust": robust_sigma(residual.numpy()),
                }
            )
    record("flux", rows)


if __name__ == "__main__":
    main()
