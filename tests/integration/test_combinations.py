"""Small surveys by every two settings of conf/ together: nothing stops, no star is lost."""

import itertools
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.data.desi import make as desi
from tests.data.files import make as files
from tests.data.lamost_mrs import make as lamost_mrs
from tests.data.sdss import make as sdss
from tests.data.table import make as table
from tests.integration import world
from tests.integration.running import ROOT, run

from torchfit.flags.bits import ResultFlag
from torchfit.names import LABELS

ELSEWHERE = {"lamost_sample"}
"""Presets whose spectra are no files of ours: test_real_lamost measures them."""
PAIRED = ("data", "metric"), ("devices", "metric"), ("devices", "match")
"""Of the data and the devices; all the others meet each other in every pair."""
SHORT = {
    "metric=common": ["metric.sharing.min_stars=1"],
    "metric=lamost": ["metric.sharing.min_stars=1"],
    "uncertainty=mcmc": [
        "uncertainty.posterior.sampler.n_warmup=4",
        "uncertainty.posterior.sampler.n_steps=8",
    ],
    "optimise=[bo]": ["optimise.bo.max_iterations=2"],
    "optimise=[paper]": ["optimise.bo.max_iterations=2"],
    "optimise=[turbo]": ["optimise.turbo.max_iterations=2"],
    "optimise=[adam]": ["optimise.adam.max_iterations=5"],
    "optimise=[lbfgs]": ["optimise.lbfgs.max_iterations=5"],
}
"""What makes an option quick, and shares matrices among the few."""


def lamost_tree(root: Path) -> list[str]:
    world.make_good_lamost(root, 4)
    labels = world.draw_labels(2, seed=21, inset=0.3)
    gaps = np.full(3200, 1e-3)
    gaps[300:1500] = 0
    world.make_lamost_star(root / "gaps.fits", labels[0], 31, n_pix=3200, ivar=gaps)
    one = np.zeros(3200)
    one[1000] = 1e-3
    world.make_lamost_star(root / "one_pixel.fits", labels[1], 32, n_pix=3200, ivar=one)
    return [f"data.root={root}", "pack.min_good=0.0"]


def folder_of(make, name: str, *more: str):
    def write(root: Path) -> list[str]:
        make(root / name)
        return [f"data.root={root}", *more]

    return write


def table_file(root: Path) -> list[str]:
    root.mkdir()
    path = table.make(root / "table.parquet")
    known = {"wave", "flux", "ivar"}
    names = [
        f"{'' if ours in known else '+'}data.columns.{ours}={theirs}"
        for ours, theirs in table.COLUMNS.items()
    ]
    return [f"data.path={path}", "data.medium=vacuum", *names]


SOURCES = {
    "desi": (folder_of(desi.make, "coadd-1.fits", "data.default_z=0.0"), 4),
    "files": (folder_of(files.make, "night.ecsv", "data.medium=vacuum"), 1),
    "lamost_dr10": (lamost_tree, 6),
    "lamost_mock": (lambda root: ["data.n_stars=5"], 5),
    "lamost_mrs": (folder_of(lamost_mrs.make, "med-58025-X_sp01-001.fits", "pack.min_good=0.0"), 1),
    "mastarhc": (lambda root: ["data._target_=tests.integration.world.MadeMastarHc"], 3),
    "sdss": (folder_of(sdss.make, "spec-7454-56751-0770.fits"), 1),
    "stelib": (lambda root: ["data._target_=tests.integration.world.MadeStelib"], 13),
    "table": (table_file, 3),
}
"""Writes the files of a preset below a folder and says where they are; how many spectra."""


def options_of(group: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


def covering(values: dict[str, list[str]], seed: int = 0) -> list[dict[str, str]]:
    """Few settings that have every pair of values, greedily: those wanted, or all of two groups."""
    few = {"data", "devices"}
    groups = list(itertools.combinations(values, 2))
    wanted = [
        pair for pair in groups if not few & set(pair) or pair in PAIRED or pair[::-1] in PAIRED
    ]
    left = {
        ((one, a), (other, b))
        for one, other in wanted
        for a, b in itertools.product(values[one], values[other])
    }
    chance, cells = random.Random(seed), []
    while left:
        tries = [
            dict(min(left)) | {g: v for g, v in drawn.items() if g not in dict(min(left))}
            for drawn in ({g: chance.choice(v) for g, v in values.items()} for _ in range(50))
        ]
        if not any(pair[0][0] == "devices" or pair[1][0] == "devices" for pair in left):
            tries = [each | {"devices": "1"} for each in tries]
        best = max(tries, key=lambda cell: len(left & pairs_of(cell)))
        cells.append(best)
        left -= pairs_of(best)
    return cells


def pairs_of(cell: dict[str, str]) -> set:
    return set(itertools.combinations(cell.items(), 2))


GROUPS = {
    "data": [name for name in options_of("data") if name not in ELSEWHERE],
    "metric": options_of("metric"),
    "match": options_of("match"),
    "optimise": options_of("optimise"),
    "uncertainty": options_of("uncertainty"),
    "devices": ["1", "2"],
}
CELLS = covering(GROUPS)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Options of each preset of data, its files made."""
    return {
        name: make(tmp_path_factory.mktemp("sources") / name) for name, (make, _) in SOURCES.items()
    }


def test_every_preset_of_the_data_is_among_them():
    assert set(GROUPS["data"]) == set(SOURCES)


def test_every_wanted_pair_is_among_them():
    metric, optimise = GROUPS["metric"], GROUPS["optimise"]
    assert {(c["metric"], c["optimise"]) for c in CELLS} == set(itertools.product(metric, optimise))
    data = {(c["data"], c["metric"]) for c in CELLS}
    assert data == set(itertools.product(GROUPS["data"], metric))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell.values()))
def test_a_survey_by(cell, sources, artefact, tmp_path, no_report):
    words = [f"{group}={cell[group]}" for group in ("data", "metric", "match", "uncertainty")]
    words.append(f"optimise=[{cell['optimise']}]")
    short = [option for word in words for option in SHORT.get(word, [])]
    ended = run(
        "infer", *words, *short, *sources[cell["data"]], f"artefact={artefact}", "group.n_group=3",
        "batch_groups=1", f"trainer.devices={cell['devices']}", f"hydra.run.dir={tmp_path}",
    )  # fmt: skip
    assert ended.status == 0, ended.err
    catalogue = pd.read_parquet(tmp_path / "catalogue.parquet", partitioning=None)
    rejects = pd.read_csv(tmp_path / "rejects.csv")
    assert len(catalogue) + len(rejects) == SOURCES[cell["data"]][1]
    assert not pd.concat([catalogue["source"], rejects["source"]]).duplicated().any()
    labels = catalogue[[name for name in LABELS if name in catalogue and name != "alpha_fe"]]
    invalid = (catalogue["flags"].to_numpy(dtype=np.int64) & ResultFlag.INVALID) != 0
    assert (np.isfinite(labels).all(axis=1) | invalid).all()
