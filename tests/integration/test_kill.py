"""A survey is struck at any moment, in any of its processes, again and again: nothing is lost.

``python benchmarks/kills.py`` is the same with hundreds of strikes.
"""

import random
import sys

import pytest
from tests.integration import world
from tests.integration.running import ROOT

sys.path.append(str(ROOT / "benchmarks"))

from kills import ENDS, KILLS, Campaign, phase_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes where Linux lists them"),
]


@pytest.fixture(scope="module")
def campaign(cache, artefact, tmp_path_factory):
    """18 good and 10 bad files in seven shards, six groups, a part each."""
    root, folder = (tmp_path_factory.mktemp(name) for name in ("struck_tree", "struck"))
    world.make_good_lamost(root, n_stars=18)
    world.make_bad_lamost(root)
    options = [*world.lamost_options(folder, artefact, root), "pack.shard_size=4"]
    options = [option for option in options if not option.startswith("hydra.run.dir")]
    campaign = Campaign(options, folder, random.Random(20), pieces=7, soon=60.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHFIT_CACHE", str(cache))
        campaign.undisturbed()
    assert campaign.faults == []
    return campaign


@pytest.mark.parametrize(("strikes", "n"), [(KILLS, 12), (ENDS, 8)], ids=["kills", "ends"])
def test_a_struck_survey_gives_the_same_bytes(campaign, strikes, n):
    before = campaign.strikes.total()
    campaign.run(strikes, n)
    assert campaign.faults == []
    assert campaign.strikes.total() - before == n


def test_the_strikes_came_in_several_phases(campaign):
    assert len({phase for *_, phase in campaign.strikes}) >= 2


def test_a_folder_without_a_run_has_not_begun(tmp_path):
    assert phase_of(tmp_path, 7) == "start"
