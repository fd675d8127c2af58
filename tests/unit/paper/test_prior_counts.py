import numpy as np
import pytest
import torch

from torchfit.match.matched_sets import PriorIntervals
from torchfit.paper.prior_counts import count_rows, prior_counts


def test_counts_are_those_of_a_loop(library):
    prior = PriorIntervals(teff=400.0, logg=0.6, fe_h=0.3)
    labels = library.labels.numpy()
    widths = prior.half_widths(library.labels[:, 0], library.label_names, library.labels).numpy()
    names = library.star_names
    expected = [
        sum(
            bool((np.abs(labels[j] - labels[i]) <= widths[i]).all())
            for j in range(len(labels))
            if names[j] != names[i]
        )
        for i in range(len(labels))
    ]
    assert prior_counts(library, prior).tolist() == expected
    assert 0 < sum(expected) < len(labels) * (len(labels) - 1)


def test_visits_of_a_star_do_not_count(library):
    one = type(library)(
        library.spectra, library.labels, library.label_names, ("x",) * len(library),
        library.lsf_fwhm,
    )  # fmt: skip
    assert not prior_counts(one, PriorIntervals()).any()


def test_shares_are_of_the_stars_above_and_not_at_the_limit():
    teff = np.array([3500.0, 5000.0, 5100.0, 12000.0])
    rows = {row["stars"]: row for row in count_rows(np.array([100, 101, 400, 3]), teff, 100)}
    assert rows["all"]["percent above 100"] == 50.0
    assert rows["K"] == {"stars": "K", "n": 2, "median count": 250.5, "percent above 100": 100.0}
    assert rows["from 10000 K"]["percent above 100"] == 0.0 and "G" not in rows


@pytest.mark.parametrize("dtype", [torch.float64])
def test_wider_intervals_hold_no_fewer(library, dtype):
    narrow = prior_counts(library, PriorIntervals(teff=300.0))
    wide = prior_counts(library, PriorIntervals(teff=900.0))
    assert (wide >= narrow).all() and wide.dtype == torch.int64
