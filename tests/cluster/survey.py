"""Make the small survey that the cluster measures: ``python tests/cluster/survey.py FOLDER``."""

import sys
from pathlib import Path

from tests.integration import world
from tests.integration.running import launch


def main(folder: Path) -> None:
    """Write files, an emulator and the options of ``infer.py``, one a line, into a folder."""
    world.make_wheel(folder / "cache")
    world.make_good_lamost(folder / "tree", n_stars=24)
    world.make_bad_lamost(folder / "tree")
    ended = launch("train", *world.train_options(folder / "trained"))
    assert ended.status == 0, ended.err
    options = world.lamost_options(folder, folder / "trained/emulator", folder / "tree")
    kept = [option for option in options if not option.startswith("hydra.run.dir")]
    lines = [*kept, "pack.shard_size=6"]
    (folder / "options.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
