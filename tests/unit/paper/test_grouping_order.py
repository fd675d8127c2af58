import pytest
import torch

from torchfit.group.grouping import Grouping
from torchfit.paper.grouping_order import (
    PRIOR,
    RANDOM,
    SAME_M,
    compared_orders,
    n_smaller,
    order_rows,
    reproduction_spreads,
)

GROUPING = Grouping(n_group=10, variance=0.9)


def test_spreads_are_those_of_a_loop(matched):
    group = matched.groups(GROUPING, "prior")
    found = reproduction_spreads(matched, 12, GROUPING, "prior")
    expected = torch.zeros_like(matched.start)
    for star, _, off in matched.reproduced(group, 12, GROUPING):
        for place, number in enumerate(star.tolist()):
            expected[number] = off[place].std(dim=0, correction=0)
    # Reproduced minus matched labels have a mean of zero, as both are centred.
    torch.testing.assert_close(found.spread, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("variance", [0.5, 0.9, 0.98])
def test_the_kept_variance_bounds_what_is_lost(matched, variance):
    """In units of the half-widths, the mean square of the error is at most the share dropped."""
    grouping = Grouping(n_group=10, variance=variance)
    for star, _, off in matched.reproduced(matched.groups(grouping, "random"), 12, grouping):
        scale = matched.half_widths[star][:, None]
        chosen = matched.labels[matched.sets[star, :12]]
        centred = (chosen - chosen.mean(dim=1, keepdim=True)) / scale
        lost = (off / scale).square().sum()
        assert lost <= (1 - variance) * centred.square().sum() * (1 + 1e-9)


def test_random_groups_of_as_many_components_are_compared_too(matched):
    spreads = compared_orders(matched, 12, GROUPING)
    assert list(spreads) == [PRIOR, RANDOM, SAME_M]
    assert spreads[SAME_M].m == round(spreads[PRIOR].m)
    rows = order_rows(spreads, matched.label_names)
    assert [row["groups"] for row in rows[:3]] == list(spreads) and len(rows) == 9
    assert rows[0]["median"] == pytest.approx(float(spreads[PRIOR].spread[:, 0].median()))
    assert rows[0]["rms"] == pytest.approx(float(spreads[PRIOR].spread[:, 0].pow(2).mean().sqrt()))


def test_labels_are_counted_where_prior_groups_are_better():
    rows = [
        {"label": label, "groups": order, "median": value, "rms": -value}
        for label, prior, random in (("teff", 1.0, 2.0), ("logg", 3.0, 2.0), ("fe_h", 1.0, 5.0))
        for order, value in ((PRIOR, prior), (RANDOM, random))
    ]
    assert n_smaller(rows, RANDOM, "median") == 2 and n_smaller(rows, RANDOM, "rms") == 1
