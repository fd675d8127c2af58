"""Mutated artefacts: each is refused in one line that names it, or is the emulator it was.

    python benchmarks/fault_artefacts.py --artefact outputs/train/miles/emulator --n 600

Half of the mutations strike the files as they lie: bit flips, cuts, insertions, swapped blocks,
zeros. The others rewrite an array or a setting and write the right hashes beside it, as a faulty
program would: NaN, infinity, other signs, shapes and types, impossible or missing settings.
"""

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from torchfit.emulator.artefact import DESCRIPTION, LICENCE, WEIGHTS, load_emulator
from torchfit.emulator.emulator import Emulator
from torchfit.emulator.soundness import SHA256, hashes
from torchfit.exceptions import ArtefactError
from torchfit.uncertainty.library_errors import FILE as ERRORS
from torchfit.uncertainty.library_errors import LibraryErrors

SLOW, BIG = 5.0, 1e9
"""Seconds and bytes that reading a mutated artefact may take at most."""

Json = dict[str, object]
Weights = dict[str, Tensor]


def flip(raw: bytearray, chance: random.Random) -> None:
    """One bit."""
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)


def flip_in_head(raw: bytearray, chance: random.Random) -> None:
    """One bit of the first kilobytes, where sizes and names are."""
    raw[chance.randrange(min(4096, len(raw)))] ^= 1 << chance.randrange(8)


def cut(raw: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del raw[chance.randrange(len(raw)) :]


def insert(raw: bytearray, chance: random.Random) -> None:
    """Some bytes too many."""
    place = chance.randrange(len(raw))
    raw[place:place] = chance.randbytes(chance.randrange(1, 64))


def swap(raw: bytearray, chance: random.Random) -> None:
    """Two blocks have changed places."""
    size = min(512, len(raw) // 3)
    one, two = sorted(chance.sample(range(len(raw) // size), 2))
    first, second = raw[one * size : (one + 1) * size], raw[two * size : (two + 1) * size]
    raw[one * size : (one + 1) * size], raw[two * size : (two + 1) * size] = second, first


def zero(raw: bytearray, chance: random.Random) -> None:
    """A block of zeros, as a crashed file system leaves it."""
    place = chance.randrange(len(raw))
    end = min(len(raw), place + chance.randrange(1, 4096))
    raw[place:end] = bytes(end - place)


RAW: list[Callable[[bytearray, random.Random], None]] = [
    flip, flip_in_head, cut, insert, swap, zero,
]  # fmt: skip


def other_number(weights: Weights, chance: random.Random) -> None:
    """A number that no training writes."""
    floats = [name for name, tensor in weights.items() if _is_float(tensor)]
    name = chance.choice(floats)
    flat = weights[name].clone().reshape(-1)
    flat[chance.randrange(len(flat))] = chance.choice([torch.nan, torch.inf, -torch.inf])
    weights[name] = flat.reshape(weights[name].shape)


def other_shape(weights: Weights, chance: random.Random) -> None:
    """An array that is longer, shorter, flat, or turned."""
    name = chance.choice(sorted(weights))
    tensor = weights[name]
    shapes = [tensor.reshape(-1)[:-1], tensor[None], torch.cat([tensor.reshape(-1)] * 2)]
    weights[name] = chance.choice([*shapes, tensor.mT] if tensor.dim() > 1 else shapes)


def other_type(weights: Weights, chance: random.Random) -> None:
    """An array of another type."""
    name = chance.choice(sorted(weights))
    types = [torch.float16, torch.float32, torch.float64, torch.int32, torch.bool]
    weights[name] = weights[name].to(
        chance.choice([kind for kind in types if kind != weights[name].dtype])
    )


def no_array(weights: Weights, chance: random.Random) -> None:
    """An array that is missing."""
    del weights[chance.choice(sorted(weights))]


ARRAYS: list[Callable[[Weights, random.Random], None]] = [
    other_number, other_shape, other_type, no_array,
]  # fmt: skip
HOSTILE = [None, "", "x", -1, 0, 1e300, 10**400, [], {}, [[[]]], True, "NaN", "1e9", ["teff"] * 3]


def other_setting(description: Json, chance: random.Random) -> None:
    """A setting that is impossible."""
    place: Json = description
    names = ["preprocess", "kernel", "label_names", "star_names", "provenance", "format", "medium"]
    name = chance.choice(names)
    if name in ("preprocess", "kernel"):
        place = description[name]  # type: ignore[assignment]
        name = chance.choice(sorted(place))
    place[name] = chance.choice([each for each in HOSTILE if not _same(each, place[name])])


def no_setting(description: Json, chance: random.Random) -> None:
    """A setting that is missing."""
    del description[chance.choice(["preprocess", "kernel", "label_names", "format", "settings"])]


SETTINGS: list[Callable[[Json, random.Random], None]] = [other_setting, no_setting]


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.numel() > 0


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def mutate(whole: Path, copy: Path, chance: random.Random) -> str:
    """Make a mutated copy of an artefact.

    Args:
        whole: The artefact.
        copy: Folder of the copy, made again.
        chance: What is mutated, and how.

    Returns:
        Name of the mutation.
    """
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    if chance.random() < 0.5:
        name, change = chance.choice([WEIGHTS, DESCRIPTION, LICENCE, ERRORS]), chance.choice(RAW)
        raw = bytearray((copy / name).read_bytes())
        change(raw, chance)
        (copy / name).write_bytes(raw)
        return f"{change.__name__} in {name}"
    description, weights = json.loads((copy / DESCRIPTION).read_text()), load_file(copy / WEIGHTS)
    del description[SHA256]
    made = chance.choice([*ARRAYS, *SETTINGS])
    made(weights if made in ARRAYS else description, chance)  # type: ignore[operator]
    description[SHA256] = hashes(description, weights)
    (copy / WEIGHTS).unlink()
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, copy / WEIGHTS)
    (copy / DESCRIPTION).write_text(json.dumps(description))
    return made.__name__


def outcome(copy: Path, whole: Path, labels: Tensor) -> str:
    """What reading a mutated artefact comes to.

    Args:
        copy: The artefact.
        whole: The one it was made of.
        labels: For which labels both predict.

    Returns:
        ``read`` when it predicts the same with the same error models, ``rejected`` for one line
        that names it, ``changed`` when it predicts something else, or the class of another error.
    """
    try:
        emulator: Emulator = load_emulator(copy)
        errors = LibraryErrors.load(copy).state()
    except ArtefactError as error:
        line = str(error)
        return "rejected" if str(copy) in line and "\n" not in line else f"unclear: {line}"
    except Exception as error:
        return type(error).__name__
    right = LibraryErrors.load(whole).state()
    same = errors.keys() == right.keys() and all(
        torch.equal(errors[name], right[name]) for name in right
    )
    same &= torch.equal(emulator.flux(labels), load_emulator(whole).flux(labels))
    return "read" if same else "changed"


def campaign(artefact: Path, n: int, seed: int = 0) -> dict[str, int]:
    """Read mutated copies of an artefact.

    Args:
        artefact: A whole one.
        n: Number of copies.
        seed: Of the mutations.

    Returns:
        How many were ``read`` as what they were, ``rejected``, came to something ``other``, took
        longer than :data:`SLOW`, or more memory than :data:`BIG`.
    """
    chance, counts = random.Random(seed), Counter(read=0, rejected=0, other=0, slow=0, big=0)
    labels = load_emulator(artefact).library.labels[:3]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(n):
            name = mutate(artefact, Path(folder, "copy"), chance)
            before, begin = _peak(), time.perf_counter()
            result = outcome(Path(folder, "copy"), artefact, labels)
            counts["slow"] += time.perf_counter() - begin > SLOW
            counts["big"] += _peak() - before > BIG
            counts[result if result in counts else "other"] += 1
            if result not in counts:
                print(f"FAULT {name}: {result}", file=sys.stderr)
    return dict(counts)


def _peak() -> float:
    """Most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Run the campaign, and record it."""
    from record import record  # Beside this file, when it runs as a program.

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artefact", type=Path, default=Path("outputs/train/miles/emulator"))
    parser.add_argument("--n", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    counts = campaign(given.artefact, given.n, given.seed)
    record("fault_artefacts", [counts])
    sys.exit(bool(counts["other"] or counts["slow"] or counts["big"]))


if __name__ == "__main__":
    main()
