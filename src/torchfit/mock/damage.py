"""Seeded damage to files: what disks, networks, programs and people do to them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Damage = Callable[[bytes, np.random.Generator], bytes]
"""Makes damaged bytes of sound ones."""

_BLOCK, _CARD = 2880, 80
_NUMBERS = (
    "0", "-1", "1", "-0.0", "NaN", "Infinity", "-Inf", "1E-320", "1E-38", "1E38", "1E300", "1E999",
    "-9999", "-9999.0", "2147483648", "9223372036854775807", "9223372036854775808",
    "99999999999999999999", "-99999999999", "1D400", "T", "F", "", "'text'", "'", "(1,2)", "1 0",
)  # fmt: skip
_STRUCTURE = (
    "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "BITPIX", "PCOUNT", "GCOUNT", "TFIELDS", "THEAP",
    "BSCALE", "BZERO", "TFORM1", "TFORM2", "TTYPE1", "TSCAL1", "TZERO1", "ZNAXIS", "ZNAXIS1",
    "ZTILE1", "ZBITPIX", "XTENSION", "EXTNAME",
)  # fmt: skip
_FORMATS = (
    "'0E'", "'1E'", "'3909D'", "'3909J'", "'1PE(3909)'", "'1QD(9)'", "'999999999E'", "'-3E'",
    "'3909A'", "'3909X'", "'9C'", "'E3909'", "'1P?'",
)  # fmt: skip
_VALUES = (
    np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 1e-38, 1e-20, -1.0, 1e10, 1e20, 3.4e38, -3.4e38,
)  # fmt: skip


def flip_bits(raw: bytes, rng: np.random.Generator) -> bytes:
    """Flip up to 64 bits, of the first blocks in half of the cases."""
    data = np.frombuffer(raw, np.uint8).copy()
    end = min(len(data), 4 * _BLOCK) if rng.random() < 0.5 else len(data)
    places = rng.integers(0, max(1, end), size=rng.integers(1, 65))
    data[places % max(1, len(data))] ^= (1 << rng.integers(0, 8, size=len(places))).astype(np.uint8)
    return data.tobytes()


def cut(raw: bytes, rng: np.random.Generator) -> bytes:
    """Cut the end off, in half of the cases at a whole block."""
    end = int(rng.integers(0, len(raw) + 1))
    return raw[: end // _BLOCK * _BLOCK if rng.random() < 0.5 else end]


def shuffle_blocks(raw: bytes, rng: np.random.Generator) -> bytes:
    """Swap, repeat, drop or empty a block."""
    blocks = [raw[start : start + _BLOCK] for start in range(0, len(raw), _BLOCK)]
    one, other = rng.integers(0, len(blocks), size=2)
    kind = rng.integers(4)
    if kind == 0:
        blocks[one], blocks[other] = blocks[other], blocks[one]
    elif kind == 1:
        blocks.insert(one, blocks[other])
    elif kind == 2:
        del blocks[one]
    else:
        blocks[one] = bytes(len(blocks[one]))
    return b"".join(blocks)


def overwrite(raw: bytes, rng: np.random.Generator) -> bytes:
    """Write zeros, ones or noise over a stretch."""
    start = int(rng.integers(0, len(raw) + 1))
    size = int(min(len(raw) - start, 2 ** rng.uniform(0, 14)))
    filling = (bytes(size), b"\xff" * size, rng.bytes(size))[rng.integers(3)]
    return raw[:start] + filling + raw[start + size :]


def append(raw: bytes, rng: np.random.Generator) -> bytes:
    """Add NULs, blanks, noise or the file itself at the end."""
    size = int(rng.integers(1, 3 * _BLOCK))
    return raw + (bytes(size), b" " * size, rng.bytes(size), raw)[rng.integers(4)]


def edit_card(raw: bytes, rng: np.random.Generator) -> bytes:
    """Give a card of a FITS header a hostile value, drop it, repeat it or spoil it."""
    places = _cards(raw)
    if not len(places):
        return raw
    keys = {raw[place : place + 8].decode("latin-1").strip(): place for place in places}
    known = [key for key in _STRUCTURE if key in keys]
    by_name = known and rng.random() < 0.5
    place = keys[_one(known, rng)] if by_name else int(_one(places, rng))
    card = raw[place : place + _CARD]
    kind = rng.integers(8)
    if kind < 5:
        value = _one(_FORMATS if card.startswith(b"TFORM") and kind else _NUMBERS, rng)
        card = f"{card[:8].decode('latin-1')}= {value:>20} /".ljust(_CARD)[:_CARD].encode("latin-1")
    elif kind == 5:
        card = b"COMMENT".ljust(_CARD)
    elif kind == 6:
        other = int(_one(places, rng))
        card = raw[other : other + _CARD]
    else:
        card = b"END" + bytes(77) if rng.random() < 0.5 else rng.bytes(_CARD)
    return raw[:place] + card + raw[place + _CARD :]


def hostile_numbers(raw: bytes, rng: np.random.Generator) -> bytes:
    """Put impossible floats into the data, singly or in runs, or scale a stretch of them."""
    start = min(len(raw), 4 * _BLOCK)
    data = np.frombuffer(raw[start : start + (len(raw) - start) // 4 * 4], ">f4").copy()
    if not len(data):
        return raw
    low = int(rng.integers(0, len(data)))
    high = min(len(data), low + int(2 ** rng.uniform(0, 13)))
    with np.errstate(all="ignore"):
        if rng.random() < 0.3:
            data[low:high] *= np.float32(10.0 ** rng.uniform(-45, 38))
        elif rng.random() < 0.5:
            data[low:high] = np.float32(_one(_VALUES, rng))
        else:
            data[rng.integers(0, len(data), size=high - low)] = np.float32(_one(_VALUES, rng))
    return raw[:start] + data.tobytes() + raw[start + data.nbytes :]


def spoil_text(raw: bytes, rng: np.random.Generator) -> bytes:
    """Exchange a byte for one that text does not hold, many times."""
    data = bytearray(raw)
    for place in rng.integers(0, max(1, len(data)), size=rng.integers(1, 20)):
        data[place : place + 1] = bytes([_one((0, 10, 13, 34, 39, 92, 128, 255), rng)])
    return bytes(data)


BYTE_DAMAGE: dict[str, Damage] = {
    "bits flipped": flip_bits,
    "cut": cut,
    "blocks shuffled": shuffle_blocks,
    "overwritten": overwrite,
    "appended to": append,
    "text spoilt": spoil_text,
}
"""Damage to any file."""
FITS_DAMAGE: dict[str, Damage] = BYTE_DAMAGE | {
    "cards edited": edit_card,
    "hostile numbers": hostile_numbers,
}
"""Damage to FITS files."""


def damage(
    raw: bytes, kinds: dict[str, Damage], rng: np.random.Generator, most: int = 3
) -> tuple[bytes, str]:
    """Damage a file in one way, up to a few times.

    Args:
        raw: Sound bytes.
        kinds: Ways by name.
        rng: Chooses.
        most: Most times.

    Returns:
        Damaged bytes, and the name of the way.
    """
    name = _one(list(kinds), rng)
    for _ in range(rng.integers(1, most + 1)):
        raw = kinds[name](raw, rng) if raw else raw
    return raw, name


def _cards(raw: bytes) -> np.ndarray:
    """Where the cards with a value start."""
    whole = np.frombuffer(raw[: len(raw) // _CARD * _CARD], np.uint8).reshape(-1, _CARD)
    return np.flatnonzero((whole[:, 8] == ord("=")) & (whole[:, 0] >= ord("A"))) * _CARD


def _one(choices: Sequence[Any] | np.ndarray, rng: np.random.Generator) -> Any:
    return choices[int(rng.integers(len(choices)))]
