from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import ConfigError
from torchfit.library.audit import (
    N_SIMILAR,
    Audit,
    Evidence,
    disagreement,
    excess_misfit,
    label_contradiction,
)

N_STARS = 120
ERROR = torch.tensor([100.0, 0.2, 0.1], dtype=torch.float64)
NAMES = [f"HD {number:06d}" for number in range(N_STARS)]


@pytest.fixture
def labels(draw_labels):
    return draw_labels(N_STARS, seed=3)


@pytest.fixture
def evidence(labels, generator):
    """Measured within a few errors of the labels, matches further away, misfits alike."""
    noise, rough, level = (
        torch.randn(labels.shape, generator=generator, dtype=torch.float64) for _ in range(3)
    )
    return Evidence(
        labels + 0.8 * ERROR * noise.clamp(-3, 3),
        ERROR.expand_as(labels),
        labels + 1.5 * ERROR * rough.clamp(-2, 2),
        0.02 * (0.3 * level[:, 0].clamp(-2, 2)).exp(),
    )


def moved(evidence, star, label, by, matched=1.0):
    """The fit of a star so many errors away, its matches by a share of that."""
    measured, similar = evidence.measured.clone(), evidence.matched.clone()
    shift = by * ERROR[label]
    similar[star, label] += matched * shift + evidence.measured[star, label] - similar[star, label]
    measured[star, label] += shift
    return replace(evidence, measured=measured, matched=similar)


def test_sound_stars_are_not_listed(labels, evidence):
    findings = Audit().judge(labels, NAMES, evidence)
    assert not findings.listed.any()
    assert not findings.left_out.any()
    assert findings.n_judged == N_STARS


@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize(("by", "listed", "left_out"), [(-7, True, False), (12, True, True)])
def test_a_fit_far_from_the_labels_is_found(labels, evidence, label, by, listed, left_out):
    found = Audit().judge(labels, NAMES, moved(evidence, 5, label, by))
    assert found.listed.nonzero().tolist() == [[5]] * listed
    assert found.left_out.nonzero().tolist() == [[5]] * left_out
    assert found.reason(5) == "labels"
    assert found.ranked.tolist() == [5]


def test_matches_at_the_published_labels_acquit(labels, evidence):
    far = moved(evidence, 5, 0, 12, matched=0.0)
    assert float(label_contradiction(labels, moved(evidence, 5, 0, 12))[5]) > 8
    assert float(label_contradiction(labels, far)[5]) == 0


def test_a_flux_like_no_other_is_found(labels, evidence):
    misfit = evidence.misfit.clone()
    misfit[7] *= 50
    found = Audit().judge(labels, NAMES, replace(evidence, misfit=misfit))
    assert found.left_out.nonzero().tolist() == [[7]]
    assert found.reason(7) == "spectrum"


def test_misfits_are_compared_at_like_temperature():
    """Misfits that grow with temperature stand out nowhere, one of a cool star among hot does."""
    teff = torch.linspace(3000, 20000, 400, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(400, generator=generator, dtype=torch.float64).clamp(-2.5, 2.5)
    misfit = (noise + 3 * (teff / 3000).log()).exp()
    assert float(excess_misfit(misfit, teff).max()) < 4
    misfit[10] = misfit[390]
    excess = excess_misfit(misfit, teff)
    assert excess.argmax() == 10
    assert float(excess[10]) > 8


@pytest.mark.parametrize("n_stars", [0, 1, N_SIMILAR - 1])
def test_too_few_misfits_say_nothing(n_stars):
    misfit = torch.arange(1.0, n_stars + 1, dtype=torch.float64) ** 9
    assert not excess_misfit(misfit, misfit).any()


def test_equal_misfits_say_nothing():
    misfit = torch.full((100,), 0.02, dtype=torch.float64)
    assert not excess_misfit(misfit, misfit).any()


@pytest.mark.parametrize("what", ["published", "measured"])
def test_templates_of_one_star_that_disagree_are_listed_and_kept(labels, evidence, what):
    """Which of them is wrong is not known: none is left out for it."""
    names = ["HD 1", "hd000001", *NAMES[2:]]
    labels, measured = labels.clone(), evidence.measured.clone()
    labels[1], measured[1] = labels[0], measured[0]
    (labels if what == "published" else measured)[1, 2] += 20 * ERROR[2]
    matched = labels.clone()
    found = Audit().judge(labels, names, replace(evidence, measured=measured, matched=matched))
    assert found.listed.nonzero().tolist() == [[0], [1]]
    assert {found.reason(0), found.reason(1)} == {"duplicate"}
    assert not found.left_out.any()


def test_an_unmeasured_visit_does_not_disagree(labels, evidence):
    measured = evidence.measured.clone()
    measured[1] = torch.nan
    labels = labels.clone()
    labels[1] = labels[0]
    found = disagreement(labels, replace(evidence, measured=measured), ["A", "A", *NAMES[2:]])
    assert not found.any()


def test_templates_that_were_not_measured_are_not_judged(labels, evidence):
    nothing = Evidence(*(torch.full_like(each, torch.nan) for each in vars(evidence).values()))
    found = Audit().judge(labels, NAMES, nothing)
    assert found.n_judged == 0
    assert not found.listed.any()
    assert not found.sizes.any()


@pytest.mark.parametrize("n_measured", [0, 1, 60])
def test_of_a_sample_only_the_sample_is_listed(labels, evidence, n_measured):
    """Errors are known of all templates, and published labels of all visits can disagree."""
    names = [name for name in NAMES[::2] for _ in range(2)]
    measured, misfit = evidence.measured.clone(), evidence.misfit.clone()
    measured[n_measured:], misfit[n_measured:] = torch.nan, torch.nan
    found = Audit().judge(labels, names, replace(evidence, measured=measured, misfit=misfit))
    assert found.n_judged == n_measured
    assert set(found.ranked.tolist()) <= set(range(n_measured))
    assert (n_measured > 0) == bool(found.listed.any())


def test_stars_of_keep_are_listed_but_stay(labels, evidence):
    far = moved(evidence, 5, 0, 30)
    found = Audit(keep=["hd5"]).judge(labels, NAMES, far)
    assert found.listed[5]
    assert not found.left_out.any()


def test_nothing_is_left_out_where_that_is_not_wanted(labels, evidence):
    found = Audit(leave_out=False).judge(labels, NAMES, moved(evidence, 5, 0, 30))
    assert found.listed[5]
    assert not found.left_out.any()


@given(listed=st.floats(0.5, 20), more=st.floats(0, 20), by=st.floats(-50, 50))
def test_who_is_left_out_is_listed(draw_labels, listed, more, by):
    labels = draw_labels(N_STARS, seed=3)
    still = Evidence(labels, ERROR.expand_as(labels), labels, torch.ones_like(labels[:, 0]))
    found = Audit(listed, listed + more).judge(labels, NAMES, moved(still, 4, 1, by))
    assert bool((found.listed | ~found.left_out).all())
    if abs(abs(by) - listed) > 1e-9 * listed:
        assert bool(found.listed[4]) == (abs(by) > listed)


@pytest.mark.parametrize("limits", [(0.0, 8.0), (9.0, 8.0), (-1.0, 2.0)])
def test_limits_that_make_no_sense(limits):
    with pytest.raises(ConfigError, match=r"library\.audit: listed="):
        Audit(*limits)
