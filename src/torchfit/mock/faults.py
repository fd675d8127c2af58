"""Damaged files of spectra, and what a survey makes of them."""

import gzip
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.io import fits

from torchfit.mock.damage import FITS_DAMAGE, damage
from torchfit.mock.lamost import LamostObject, MockLamostReader
from torchfit.mock.lamost_files import image_file, table_file

_RARE = 0.05
_GZIP_TIME = re.compile(rb"(\x1f\x8b\x08\x00).{4}", re.DOTALL)


def first_release_file(made: LamostObject) -> bytes:
    """A file of release 1: the third row is no wavelength, and there is no identifier."""
    raw = image_file(made)
    start = raw.index(b"END".ljust(80))
    start += -(start + 80) % 2880 + 80
    row = len(made.wave) * 4
    flux = (made.flux - made.flux.mean()).astype(">f4").tobytes()
    spoilt = raw[: start + 2 * row] + flux + raw[start + 3 * row :]
    return spoilt.replace(b"OBSID   =", b"OLDID   =", 1)


def variable_file(made: LamostObject) -> bytes:
    """A file whose arrays are of variable length, as some writers make them."""
    sound = fits.open(io.BytesIO(table_file(made)))
    table = sound[1].data
    columns = [
        fits.Column(name, f"PE({len(made.wave)})", array=np.array([row[0]], dtype=object))
        for name, row in ((name, table[name]) for name in table.names)
    ]
    header = sound[0].header
    unit = fits.BinTableHDU.from_columns(columns, name="COADD")
    return _written([fits.PrimaryHDU(header=header), unit])


def tiled_file(made: LamostObject) -> bytes:
    """A file that ``fpack`` has compressed."""
    sound = fits.open(io.BytesIO(image_file(made)))[0]
    unit = fits.CompImageHDU(
        sound.data, sound.header, compression_type="GZIP_1", quantize_level=0.0
    )
    raw = _written([fits.PrimaryHDU(header=sound.header), unit])
    return _GZIP_TIME.sub(rb"\1" + bytes(4), raw)  # The same bytes at any time.


def _written(units: Sequence[Any]) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList(units).writeto(buffer, output_verify="silentfix")
    return buffer.getvalue()


LAYOUTS: dict[str, Callable[[LamostObject], bytes]] = {
    "table": table_file,
    "image": image_file,
    "release 1": first_release_file,
    "variable length": variable_file,
    "tiles": tiled_file,
}
"""Every layout that the reader of LAMOST files knows."""


@dataclass
class SoundFiles:
    """Sound files in every layout, of a few mock stars.

    Args:
        n_stars: Number of stars.
        seed: Seed of the stars.
    """

    n_stars: int = 4
    seed: int = 1
    files: dict[str, list[bytes]] = field(init=False)

    def __post_init__(self) -> None:
        reader = MockLamostReader(self.n_stars, self.seed)
        made = [reader.lamost_object(source) for source in reader.sources()]
        self.files = {name: [write(star) for star in made] for name, write in LAYOUTS.items()}

    def damaged(self, number: int, seed: int) -> tuple[bytes, str, str]:
        """Make a damaged file.

        Args:
            number: Its number; the same number and seed give the same bytes.
            seed: Of the campaign.

        Returns:
            Its bytes, gzipped or not, its layout, and how it was damaged.
        """
        rng = np.random.default_rng((seed, number))
        layout = list(self.files)[number % len(self.files)]
        raw = self.files[layout][int(rng.integers(self.n_stars))]
        packing = rng.random()
        if packing < _RARE:
            spoilt, _ = damage(gzip.compress(raw, 1, mtime=0), FITS_DAMAGE, rng)
            return spoilt, layout, "gzip stream damaged"
        if packing < 1.02 * _RARE:
            bomb = raw + bytes(int(rng.integers(1, 64)) << 20)
            return gzip.compress(bomb, 1, mtime=0), layout, "gzip bomb"
        spoilt, kind = damage(raw, FITS_DAMAGE, rng)
        return (gzip.compress(spoilt, 1, mtime=0) if packing < 0.5 else spoilt), layout, kind
