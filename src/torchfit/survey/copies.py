"""Copies of one observation in a survey: the same file twice, packed and not, or reduced again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from pandas.util import hash_array

from torchfit.files.file_name import stem
from torchfit.survey.piece import Reject, reject
from torchfit.survey.shards import Shard

_NONE = -1
_SAME_FILE = ["checksum", "obsid", "mjd", "n_bad"]
_SAME_NAME = ["stem", "obsid", "mjd"]


def copies(paths: Sequence[Path]) -> list[Reject]:
    """Find the stars of shards that are observations which another star is already.

    Two are one observation if the contents of their files are the same, whatever their names, or
    if name, identifier and night are, whatever their folders and packing.

    Args:
        paths: Shards.

    Returns:
        A reject for every copy but the first, which names that.
    """
    if not paths or not (suspect := _suspects(paths)).any():
        return []
    table = pd.concat(list(_info(paths, suspect)), ignore_index=True)
    table = table.sort_values("star", ignore_index=True)
    first = table["star"].to_numpy(copy=True)
    for keys in (_SAME_FILE, _SAME_NAME):
        known = table.dropna(subset=[keys[0], "mjd"])
        first_alike = known.groupby(keys, dropna=False)["star"].transform("first")
        first[known.index] = np.minimum(first[known.index], first_alike)
    source = table.set_index("star")["source"]
    return [
        reject(star, source[star], f"a copy of the observation {source[kept]}")
        for star, kept in zip(table["star"].tolist(), first.tolist(), strict=True)
        if kept < star
    ]


def _suspects(paths: Sequence[Path]) -> Bool[np.ndarray, " star"]:
    """Stars that share a number with others: those alone are compared."""
    keys = [_keys(Shard(path)) for path in paths]
    columns = zip(*keys, strict=True)
    return np.logical_or.reduce([_repeated(np.concatenate(column)) for column in columns])


def _keys(shard: Shard) -> tuple[Int[np.ndarray, " star"], ...]:
    """Numbers of stars that copies share; where there is no identifier the hash of the stem."""
    # Copies: an array that lies in the file would keep it open.
    checksum, obsid = (np.array(shard.whole(name, _NONE)) for name in ("checksum", "obsid"))
    unnamed = np.flatnonzero(obsid == _NONE)
    sources = shard.known(unnamed, ["source"])["source"].to_pylist()
    hashed = np.full_like(obsid, _NONE)
    hashed[unnamed] = hash_array(np.array(list(map(stem, sources)), dtype=object)).view(np.int64)
    return checksum, obsid, hashed


def _repeated(values: Int[np.ndarray, " star"]) -> Bool[np.ndarray, " star"]:
    """Stars whose number others have too."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (count[place] > 1) & (values != _NONE)


def _info(paths: Sequence[Path], wanted: Bool[np.ndarray, " star"]) -> Iterator[pd.DataFrame]:
    """What is known of some stars, with checksum and the stem of the file's name."""
    first = 0
    for path in paths:
        shard = Shard(path)
        rows = np.flatnonzero(wanted[first : first + len(shard)])
        first += len(shard)
        info = shard.info(rows)[["star", "source", "obsid", "mjd", "n_bad"]]
        checksum = pd.Series(shard.whole("checksum", _NONE)[rows], dtype="Int64")
        stems = [stem(source) for source in info["source"]]
        yield info.assign(checksum=checksum.replace(_NONE, pd.NA), stem=stems)
