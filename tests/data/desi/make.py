"""Small DESI files of spectra and of redshifts: three targets and a sky fibre, in three arms."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
STEP = 0.8
ARMS = {"B": (4600.0, 5800.0), "R": (5760.0, 6400.0), "Z": (6320.0, 7000.0)}
"""First and last wavelength; neighbours overlap, as in real files."""
SIGMA = 0.7
"""Standard deviation of the line-spread function in Angstrom."""
TARGETS = (39633300968442591, 39633300968442592, 39633300968442593, -1695072)
KINDS = ("TGT", "TGT", "TGT", "SKY")
GAIA = 4472832130942575872
SOME_BAD, NO_DATA = 100, 101
"""Pixels of arm B with a bit of the mask: SOMEBADPIX, NODATA."""


def arm_wave(arm: str) -> np.ndarray:
    """Wavelengths of an arm."""
    first, last = ARMS[arm]
    return first + STEP * np.arange(round((last - first) / STEP) + 1)


def make(
    path: Path,
    z: float = 0.0,
    fibermap: Mapping[str, list] | None = None,
    arms: str = "BRZ",
    compressed: bool = False,
) -> Path:
    """Write a file of spectra, all of one redshift; ``coadd`` or ``spectra`` by its name."""
    n, is_coadd = len(TARGETS), path.name.startswith("coadd")
    columns = {
        "TARGETID": np.array(TARGETS), "OBJTYPE": np.array(KINDS), "REF_CAT": np.array(["G2"] * n),
        "TARGET_RA": 215.0 + np.arange(n), "TARGET_DEC": 53.0 + np.arange(n),
        "REF_ID": np.array([GAIA, 0, 0, 0]), "MWS_TARGET": np.array([1, 0, 0, 0]),
        "COADD_FIBERSTATUS" if is_coadd else "FIBERSTATUS": np.array([0, 8, 0, 0], dtype="i4"),
    }  # fmt: skip
    columns |= {} if is_coadd else {"MJD": np.full(n, 59324.2)}
    columns |= {name: np.array(values) for name, values in (fibermap or {}).items()}
    header = fits.Header({"INFIL000": "frame.fits"} if is_coadd else {})
    scores = table({"TARGETID": np.array(TARGETS)}, "SCORES")
    units = [fits.PrimaryHDU(header=header), table(columns, "FIBERMAP"), scores]
    if is_coadd:
        target = np.repeat(TARGETS, 2)
        dates = np.tile([59324.2, 59326.2], n)
        units.append(table({"TARGETID": target, "MJD": dates}, "EXP_FIBERMAP"))
    for arm in arms:
        units += arm_units(arm, z, n, compressed)
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(units).writeto(path)
    return path


def arm_units(arm: str, z: float, n: int, compressed: bool) -> list:
    """The five units of an arm."""
    wave = arm_wave(arm)
    line = np.exp(-0.5 * ((wave / (1 + z) - H_BETA) / 3) ** 2)
    flux = np.tile(20 - 10 * line, (n, 1)) + np.arange(n)[:, None]
    ivar, mask = np.full_like(flux, 4.0), np.zeros(flux.shape, dtype="i4")
    if arm == "B":
        mask[:, SOME_BAD], mask[:, NO_DATA], ivar[:, 200] = 1, 256, 0
    offset = np.arange(-5, 6)
    kernel = np.exp(-0.5 * (offset * STEP / SIGMA) ** 2)
    resolution = np.tile((kernel / kernel.sum())[:, None], (n, 1, len(wave)))
    image = fits.CompImageHDU if compressed else fits.ImageHDU
    return [
        fits.ImageHDU(wave, name=f"{arm}_WAVELENGTH"),
        fits.ImageHDU(flux.astype("f4"), name=f"{arm}_FLUX"),
        fits.ImageHDU(ivar.astype("f4"), name=f"{arm}_IVAR"),
        image(mask, name=f"{arm}_MASK"),
        fits.ImageHDU(resolution.astype("f4"), name=f"{arm}_RESOLUTION"),
    ]


def make_redrock(path: Path, z: list[float], **columns: list) -> Path:
    """Write redshifts of the first targets."""
    known = {"TARGETID": np.array(TARGETS[: len(z)]), "Z": np.array(z)}
    known |= {name: np.array(values) for name, values in columns.items()}
    fits.HDUList([fits.PrimaryHDU(), table(known, "REDSHIFTS")]).writeto(path)
    return path


def make_velocities(path: Path, vrad: list[float], **columns: list) -> Path:
    """Write velocities in km/s of the first targets."""
    known = {"TARGETID": np.array(TARGETS[: len(vrad)]), "VRAD": np.array(vrad)}
    known |= {name: np.array(values) for name, values in columns.items()}
    fits.HDUList([fits.PrimaryHDU(), table(known, "RVTAB")]).writeto(path)
    return path


def table(columns: Mapping[str, np.ndarray], name: str) -> fits.BinTableHDU:
    """A table of whatever columns."""
    letters = {"i4": "J", "i8": "K", "f4": "E", "f8": "D"}
    return fits.BinTableHDU.from_columns(
        [
            fits.Column(
                key,
                f"{max(1, values.dtype.itemsize // 4)}A"
                if values.dtype.kind == "U"
                else letters[values.dtype.str[1:]],
                array=values,
            )
            for key, values in columns.items()
        ],
        name=name,
    )
