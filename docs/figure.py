"""The figure of the README, from what the commands have written.

python train.py && python infer.py && python docs/figure.py
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from torchfit.catalogue.parts import read_part
from torchfit.emulator.artefact import load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.surveys.stelib import StelibReader

TARGET = Path("docs/images/stelib.png")


TEFF_TICKS = [3000, 5000, 10000, 20000]


def draw_spectrum(axes: Axes, table: pd.DataFrame, emulator: Emulator) -> None:
    """The spectrum of an unseen star of reduced chi-squared nearest 1, and its model."""
    star = table.loc[(table["rchi2"] - 1).abs().where(~table["in_library"]).idxmin()]
    reader = StelibReader()
    spectra = emulator.preprocessor([reader.read(star["source"])])
    labels = spectra.wave.new_tensor([[star[name] for name in emulator.label_names]])
    model = emulator.at_resolution(reader.lsf_fwhm).flux(labels)[0].numpy()
    good = (spectra.good[0] & emulator.flux_pca.good).numpy()
    wave, flux = spectra.wave.numpy(), spectra.flux[0].numpy()
    axes.plot(wave, np.where(good, flux, np.nan), color="0.15", lw=1.1, label="STELIB")
    axes.plot(wave, np.where(good, model, np.nan), color="C1", lw=0.8, label="emulator")
    axes.set(xlabel="vacuum wavelength (Å)", ylabel="normalised flux", xlim=(wave[0], wave[-1]))
    axes.set_title(
        f"{star['name']}: {star['teff']:.0f} ± {star['e_teff']:.0f} K, "
        f"log g {star['logg']:.2f}, [Fe/H] {star['fe_h']:+.2f}"
    )
    axes.legend(loc="lower right", ncols=2, frameon=False)


def draw_kiel(axes: Axes, table: pd.DataFrame, emulator: Emulator) -> None:
    """Gravity against temperature, coloured by metallicity, over the library."""
    library = emulator.library.labels.numpy()
    axes.scatter(library[:, 0], library[:, 1], s=4, color="0.8", label="MILES")
    drawn = axes.scatter(
        table["teff"], table["logg"], c=table["fe_h"], s=14, vmin=-2, vmax=0.5, label="STELIB"
    )
    axes.figure.colorbar(drawn, ax=axes, label="[Fe/H] (dex)")
    axes.set(xscale="log", xlim=(36000, 2800), ylim=(5.5, -0.3), xlabel=r"$T_{\rm eff}$ (K)")
    axes.set_ylabel(r"$\log g$ (dex)")
    axes.legend(loc="upper left", frameon=False)


def draw_teff(axes: Axes, table: pd.DataFrame) -> None:
    """Our temperatures against those STELIB publishes."""
    unseen = table[~table["in_library"] & table["teff_lit"].notna()]
    axes.plot([3000, 32000], [3000, 32000], color="0.6", lw=1)
    axes.errorbar(unseen["teff_lit"], unseen["teff"], unseen["e_teff"], fmt="o", ms=3.5, lw=0.8)
    axes.set(xscale="log", yscale="log", xlabel=r"published $T_{\rm eff}$ (K)")
    axes.set(ylabel=r"torchfit $T_{\rm eff}$ (K)", title="stars that MILES does not have")


def main() -> None:
    """Draw and save the figure."""
    table = read_part(Path("outputs/infer/stelib/catalogue.parquet"))
    emulator = load_emulator(Path("outputs/train/miles/emulator"))
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    axes = figure.subplot_mosaic([["spectrum"] * 2, ["kiel", "teff"]], height_ratios=[1, 1.35])
    draw_spectrum(axes["spectrum"], table, emulator)
    draw_kiel(axes["kiel"], table, emulator)
    draw_teff(axes["teff"], table)
    for axis in (axes["kiel"].xaxis, axes["teff"].xaxis, axes["teff"].yaxis):
        axis.set_ticks(TEFF_TICKS, [str(tick) for tick in TEFF_TICKS])
        axis.set_minor_formatter(NullFormatter())
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=110, metadata={"Software": None})
    print(f"written to {TARGET}")


if __name__ == "__main__":
    main()
