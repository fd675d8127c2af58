import numpy as np
import pytest

from torchfit.flags.snr import SnrRule
from torchfit.names import LABELS
from torchfit.report.table_two import latex_table, table_two

EVERYONE = np.ones(6, dtype=bool)


def of_sample(table, chosen, labels, rule=None):
    rule = rule or SnrRule()
    return table_two(table, chosen, labels, rule.ratio(table))


@pytest.fixture
def sample(make_table):
    table = make_table(6).assign(
        spectral_class=["G", "G", "G", "K", "K", "M"],
        logg=[4.0, 4.5, 3.0, 3.79, 3.8, 5.0],
        e_teff=[50.0, 70.0, 90.0, 10.0, 20.0, 30.0],
        rchi2=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        snr_g=[9.0, 20.0, np.nan, 5.0, 6.0, 7.0],
    )
    return table.assign(snr_i=table["snr_g"] * 10)


def test_the_ratio_is_that_of_the_band_that_is_asked_for(sample):
    rule = SnrRule(bands=dict.fromkeys(SnrRule().bands, "i"))
    least = {
        row["class"]: row["min S/N"]
        for row in of_sample(sample, EVERYONE, LABELS, rule)
        if row["kind"] != "all"
    }
    assert least["K"] == 60.0
    assert least["M"] == 70.0


def test_dwarfs_and_giants_of_every_class(sample):
    rows = of_sample(sample, EVERYONE, LABELS)
    assert [(row["class"], row["kind"], row["N"]) for row in rows] == [
        ("M", "dwarfs", 1),
        ("K", "giants", 1),
        ("K", "dwarfs", 1),
        ("G", "giants", 1),
        ("G", "dwarfs", 2),
    ]
    dwarfs = rows[-1]
    assert (dwarfs["e_teff"], dwarfs["± e_teff"]) == (60.0, 10.0)
    assert (dwarfs["rchi2"], dwarfs["± rchi2"], dwarfs["min S/N"]) == (1.5, 0.5, 9.0)


def test_the_ratio_is_that_of_the_band_of_the_class(sample):
    assert of_sample(sample, EVERYONE, LABELS)[0]["min S/N"] == 70.0


def test_one_star_has_no_spread_and_what_is_not_known_is_not_invented(sample):
    rows = {(row["class"], row["kind"]): row for row in of_sample(sample, EVERYONE, LABELS)}
    assert np.isnan(rows["M", "dwarfs"]["± e_teff"])
    assert np.isnan(rows["G", "giants"]["min S/N"])
    none = of_sample(sample.assign(e_teff=np.nan), EVERYONE, LABELS)
    assert all(np.isnan(row["e_teff"]) for row in none)


def test_no_star_is_no_row(sample):
    assert of_sample(sample, ~EVERYONE, LABELS) == []


def test_latex_has_a_cell_for_every_column(sample):
    rows = of_sample(sample, EVERYONE, LABELS[:3])
    lines = latex_table(rows, LABELS[:3]).splitlines()
    head, *body = [line for line in lines if line.endswith(r" \\")]
    assert len(body) == len(rows)
    assert {line.count(" & ") for line in (head, *body)} == {7}
    assert lines[0] == r"\begin{tabular}{llrrrrrr}"
    assert r"$60.0 \pm 10.0$" in body[-1]
    assert head.isascii()
