"""A made world in real formats: a library wheel of MILES and STELIB stars, and LAMOST trees."""

import gzip
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.data.lamost import make as lamost
from tests.data.mastarhc import make as mastarhc
from tests.data.miles import make as miles
from tests.data.stelib import make as stelib

from torchfit.files.fetch import MANGADAP, default_cache
from torchfit.spectra import Spectrum
from torchfit.surveys.mastarhc import MastarHcReader
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.miles import MilesReader
from torchfit.surveys.stelib import StelibReader

N_LIBRARY = 72
N_STELIB = 9
LINES = np.array(
    [3890.0, 3969.6, 4102.9, 4227.9, 4341.7, 4384.8, 4472.7, 4533.2, 4668.0, 4862.7, 4958.9, 5041.5,
     5168.7, 5184.9, 5270.5, 5329.5, 5407.3, 5456.9, 5530.0, 5590.2, 6103.9, 6123.9, 6163.9, 6231.0,
     6302.9, 6394.0, 6496.7, 6564.6, 6679.3, 6719.5]
)  # fmt: skip
"""Vacuum wavelengths in Angstrom of the lines that every made star has, H beta among them."""


def draw_labels(n_stars: int, seed: int, inset: float = 0.0) -> np.ndarray:
    """Labels (K, dex, dex) of an FGK box; ``inset`` keeps them off its sides."""
    unit = np.random.default_rng(seed).uniform(inset, 1 - inset, (n_stars, 3))
    return np.array([4400.0, 1.0, -1.6]) + unit * np.array([2600.0, 3.8, 2.0])


def flux_of(labels: np.ndarray, wave: np.ndarray, fwhm: float) -> np.ndarray:
    """Flux of one star at vacuum rest wavelengths: a sloping continuum with smooth lines."""
    teff, logg, fe_h = labels
    unit = np.array([np.log10(teff / 5600) / 0.06, (logg - 3) / 1.2, (fe_h + 0.6) / 0.6])
    flux = np.ones_like(wave)
    for number, line in enumerate(LINES):
        pull = np.sin(np.array([number + 1.0, 2.0 * number + 2, 3.0 * number + 1])) @ unit
        strength = 1.5 / (1 + np.exp(-pull))
        width = np.hypot(1.0 + 0.4 * (number % 3), fwhm / 2.355)
        depth = strength / (width * np.sqrt(2 * np.pi))
        flux -= depth * np.exp(-0.5 * ((wave - line) / width) ** 2)
    return flux * (wave / 5500) ** (3 - teff / 2000)


def _noisy(flux: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    return flux * (1 + sigma * np.random.default_rng(seed).standard_normal(flux.shape))


def make_wheel(cache: Path, n_library: int = N_LIBRARY, n_stelib: int = N_STELIB) -> Path:
    """The wheel of both libraries in a cache folder."""
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / MANGADAP.filename
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        _write_miles(wheel, n_library)
        _write_stelib(wheel, n_stelib)
        _write_mastarhc(wheel)
        wheel.writestr(miles.LICENCE, "BSD 3-Clause License\nof made stars")
    return path


def _write_miles(wheel: zipfile.ZipFile, n_stars: int) -> None:
    wave = air_to_vacuum(3540.5 + 0.9 * np.arange(miles.N_PIX))
    rows = miles.PARAMETERS.splitlines()[:3]
    for number, labels in enumerate(draw_labels(n_stars, seed=1).round(2), start=1):
        flux = _noisy(flux_of(labels, wave, 2.5), 0.004, seed=number)
        member = f"{miles.FOLDER}MILES_res2.50_star_m{number:04d}V.fits"
        wheel.writestr(member, miles.fits_bytes(flux))
        teff, logg, fe_h = labels
        name = f"HD{number:06d}"
        rows.append(f"{name:22} {number:04d} {'':6} {'G2 V':13}{teff:7.0f}{logg:7.2f}{fe_h:9.2f}")
    wheel.writestr(f"{miles.FOLDER}paramsMILES_v9.1.txt", "\n".join(rows))


def _write_stelib(wheel: zipfile.ZipFile, n_stars: int) -> None:
    """Good stars; one that a half of the pixels is missing of, one of noise, one cut short."""
    wave = air_to_vacuum(3199.025 + stelib.STEP * np.arange(stelib.N_PIX))
    for number, labels in enumerate(draw_labels(n_stars, seed=2, inset=0.15)):
        flux = _noisy(flux_of(labels, wave, 3.1), 0.006, seed=100 + number)
        flux[:262] = flux[-286:] = 0
        _write_stelib_star(wheel, f"HD{number:06d}", flux, labels)
    flux[wave > 5000] = 0
    _write_stelib_star(wheel, "HD900001", flux, labels)
    _write_stelib_star(wheel, "HD900002", np.full_like(flux, np.nan), labels)
    _write_stelib_star(wheel, "HD900003", flux[:3000], labels)
    flux[wave > 4500] = 0
    _write_stelib_star(wheel, "HD900004", flux, labels)


def _write_stelib_star(
    wheel: zipfile.ZipFile, name: str, flux: np.ndarray, labels: np.ndarray
) -> None:
    cards = {
        card: f"{value:20.3f}"
        for card, value in zip(("TEFF", "LOG_G", "FE_H"), labels, strict=True)
    }
    raw = stelib.header_of(cards) + flux.astype(">f4").tobytes()
    wheel.writestr(f"{stelib.FOLDER}STELIB_v3.2_{name}.fits", raw + b"\0" * (-len(raw) % 2880))


def _write_mastarhc(wheel: zipfile.ZipFile) -> None:
    """Two averages, and a single star without errors."""
    units = [mastarhc.average(), mastarhc.average(), mastarhc.star()]
    for number, (file, labels) in enumerate(
        zip(units, draw_labels(3, seed=9, inset=0.3), strict=True)
    ):
        wave = 10 ** (file[0].header["CRVAL1"] + 1e-4 * np.arange(file[0].header["NAXIS1"]))
        file[0].data = _noisy(flux_of(labels, wave, 3.0), 0.01, seed=300 + number)
        member = f"{mastarhc.FOLDER}MaStarHC_{number:02d}.fits.gz"
        content = mastarhc.content(file)
        if len(file) == 2:
            wheel.writestr(mastarhc.STAR, content)
        else:
            wheel.writestr(member, gzip.compress(content, mtime=0))


class _MadeWheel:
    """A wheel reader that expects the hash of the wheel that lies in the cache."""

    def __init__(self, cache: str | None = None) -> None:
        super().__init__(cache)
        path = (Path(cache) if cache else default_cache()) / MANGADAP.filename
        self.wheel = replace(MANGADAP, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


class MadeMiles(_MadeWheel, MilesReader):
    """The reader of MILES on the made wheel."""


class WrongMiles(MadeMiles):
    """The made library with a star that has labels of the other end of the box.

    Args:
        wrong: Name of the star.
        cache: Cache folder.
    """

    def __init__(self, wrong: str, cache: str | None = None) -> None:
        super().__init__(cache)
        self.wrong = wrong

    def read(self, source: str) -> Spectrum:
        """Read a star."""
        spectrum = super().read(source)
        if spectrum.info.name != self.wrong:
            return spectrum
        labels = spectrum.info.labels
        turned = {"teff": 11400.0 - labels["teff"], "logg": 5.8 - labels["logg"]}
        return replace(spectrum, info=replace(spectrum.info, labels={**labels, **turned}))


class MadeStelib(_MadeWheel, StelibReader):
    """The reader of STELIB on the made wheel."""


class MadeMastarHc(_MadeWheel, MastarHcReader):
    """The reader of MaStarHC on the made wheel."""


def make_good_lamost(root: Path, n_stars: int = 6, spoiled: float | None = None) -> None:
    """LAMOST stars in all three layouts and in four lengths, every second one gzipped."""
    for number, labels in enumerate(draw_labels(n_stars, seed=3, inset=0.2)):
        layout = ("table", "image", "first")[number % 3]
        ending = ".fits.gz" if number % 2 else ".fits"
        path = root / f"good/{layout}/star{number}{ending}"
        make_lamost_star(path, labels, number, layout, spoiled)


def make_bad_lamost(root: Path) -> dict[str, str]:
    """LAMOST files that cannot be used; a part of the reason, by source."""
    labels = draw_labels(1, seed=4, inset=0.3)[0]
    for name, header in {
        "galaxy": {"CLASS": "GALAXY"},
        "no_redshift": {"Z": -9999.0},
        "redshift_missing": {"Z": None},
        "too_fast": {"Z": 0.02},
    }.items():
        make_lamost_star(root / f"bad/{name}.fits", labels, 50, header=header)
    nan, zero = np.full(3200, np.nan), np.zeros(3200)
    make_lamost_star(root / "bad/nan.fits", labels, 50, n_pix=3200, flux=nan)
    make_lamost_star(root / "bad/masked.fits", labels, 50, "image", n_pix=3200, ivar=zero)
    make_lamost_star(root / "bad/blue.fits", labels, 50, n_pix=700)
    whole = make_lamost_star(root / "bad/cut.fits.gz", labels, 50).read_bytes()
    (root / "bad/cut.fits.gz").write_bytes(whole[: len(whole) // 2])
    (root / "bad/empty.fits").touch()
    (root / "bad/text.fits").write_text("not FITS\n")
    (root / "README.txt").write_text("no spectrum\n")
    return {
        "bad/galaxy.fits": "not a star (CLASS is GALAXY)",
        "bad/no_redshift.fits": "no redshift",
        "bad/redshift_missing.fits": "no redshift",
        "bad/too_fast.fits": "no usable redshift",
        "bad/nan.fits": "the flux is not finite in any pixel",
        "bad/masked.fits": "every pixel is masked",
        "bad/blue.fits": "too few of the emulator's pixels are good",
        "bad/cut.fits.gz": "damaged gzip file",
        "bad/empty.fits": "the file is empty",
        "bad/text.fits": "not a readable FITS file",
    }


def make_lamost_star(
    path: Path,
    labels: np.ndarray,
    number: int,
    layout: str = "table",
    spoiled: float | None = None,
    **changes: object,
) -> Path:
    """One LAMOST file of a star of given labels; ``spoiled`` stands in its pixels of IVAR 0."""
    n_pix = changes.pop("n_pix", 3200 + 100 * (number % 4))
    header = {"Z": 1e-4 * (number % 3 - 1), "OBSID": 1000 + number, **changes.pop("header", {})}
    wave = lamost.wavelength(n_pix)
    if "flux" not in changes:
        z = float(header["Z"] or 0)
        rest = wave / (1 + max(z, -0.1))
        flux = 300 * _noisy(flux_of(labels, rest, 3.06), 0.01, seed=200 + number)
        flux[-8:] = 0
        changes["flux"] = flux
    if "ivar" not in changes:
        changes["ivar"] = np.full(n_pix, (0.01 * 300) ** -2.0)
        changes["ivar"][400 + 7 * number :: 97] = 0
    if spoiled is not None:
        changes["flux"] = np.where(changes["ivar"] == 0, spoiled, changes["flux"])
    if layout == "first":
        header.pop("OBSID")
    return lamost.make(path, layout, header, n_pix=n_pix, **changes)


def train_options(folder: Path) -> list[str]:
    """Overrides that train on the made library, quickly: at rest after about ten epochs."""
    return [
        "library.reader._target_=tests.integration.world.MadeMiles",
        "trainer._target_=tests.integration.killing.build_trainer",
        "emulator.learner.patience=2",
        "emulator.learner.min_delta=0.02",
        "emulator.n_folds=2",
        f"hydra.run.dir={folder}",
    ]


def stelib_options(folder: Path, artefact: Path) -> list[str]:
    """Overrides that measure the made STELIB stars, quickly."""
    reader = "data._target_=tests.integration.world.MadeStelib"
    return [reader, *_quick_options(folder, artefact)]


def lamost_options(folder: Path, artefact: Path, root: Path) -> list[str]:
    """Overrides that measure LAMOST files, quickly."""
    return ["data=lamost_dr10", f"data.root={root}", *_quick_options(folder, artefact)]


def _quick_options(folder: Path, artefact: Path) -> list[str]:
    return [
        "trainer._target_=tests.integration.killing.build_trainer",
        f"artefact={artefact}",
        "optimise=lm",
        "group.n_group=3",
        "batch_groups=1",
        "n_examples=3",
        f"hydra.run.dir={folder}",
    ]
