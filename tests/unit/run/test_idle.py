import pytest

from torchfit.run.idle import idle_settings

TRAINING = ("emulator", "library", "preprocess")


def idle(*overrides, moves_groups=False):
    return list(idle_settings(overrides, TRAINING, moves_groups))


@pytest.mark.parametrize(
    "override",
    ["match.t=50", "match.prior.teff=500", "group.n_group=10", "group=paper", "+match.t=3"],
)
def test_the_search_of_groups_alone_reads_it(override):
    (line,) = idle(override)
    key = override.lstrip("+").partition("=")[0]
    assert line.startswith(f"{key} changes nothing") and "optimise=[bo,lm]" in line
    assert idle(override, moves_groups=True) == []


@pytest.mark.parametrize("moves_groups", [False, True])
def test_a_setting_of_another_program(moves_groups):
    (line,) = idle("emulator.kernel.lengthscale=1.5", moves_groups=moves_groups)
    assert line.startswith("emulator.kernel.lengthscale changes nothing")


@pytest.mark.parametrize(
    "override", ["emulator=mastar", "match.n_best=3", "match=components", "data.root=a", "seed=3"]
)
def test_what_the_run_reads_is_not_idle(override):
    assert idle(override) == []


def test_a_line_each():
    assert len(idle("match.t=50", "group.n_group=10", "library.reader.n_stars=7", "seed=1")) == 3
