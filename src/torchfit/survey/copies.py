"""Copies of one observation in a survey: the same file twice, packed and not, or reduced again."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool

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
    shards = [Shard(path) for path in paths]
    suspect = _repeated(shards, "checksum") | _repeated(shards, "obsid")
    if not suspect.any():
        return []
    table = pd.concat(list(_info(shards, suspect)), ignore_index=True)
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


def _repeated(shards: Sequence[Shard], name: str) -> Bool[np.ndarray, " star"]:
    """Stars whose number others have too, or that have none."""
    values = np.concatenate(
        [np.empty(0, np.int64), *(shard.whole(name, _NONE) for shard in shards)]
    )
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (count[place] > 1) | (values == _NONE) & (len(values) > 1)


def _info(shards: Sequence[Shard], wanted: Bool[np.ndarray, " star"]) -> Iterator[pd.DataFrame]:
    """What is known of some stars, with checksum and the stem of the file's name."""
    ends = np.cumsum([len(shard) for shard in shards])
    for shard, here in zip(shards, np.split(wanted, ends[:-1]), strict=True):
        rows = np.flatnonzero(here)
        info = shard.info(rows)[["star", "source", "obsid", "mjd", "n_bad"]]
        checksum = pd.Series(shard.whole("checksum", _NONE)[rows], dtype="Int64")
        stems = [stem(source) for source in info["source"]]
        yield info.assign(checksum=checksum.replace(_NONE, pd.NA), stem=stems)
