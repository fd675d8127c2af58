"""The numbers of the figures that are made of a measured survey, on made tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.finished import FinishedSurvey, SurveyFindings
from torchfit.compare.clusters import ClusterComparison
from torchfit.compare.reference import Comparison
from torchfit.exceptions import DataError
from torchfit.names import LABELS
from torchfit.paper.colour_temperature import (
    ColouredStars,
    off_the_sequence,
    read_zams,
    sequence_rows,
    temperatures,
)
from torchfit.paper.comparison import CatalogueComparison, counted_stars, reading_rows
from torchfit.paper.imig_gravities import scale_rows
from torchfit.paper.label_planes import alpha_medians, slope_rows
from torchfit.paper.material import MeasuredSurvey
from torchfit.paper.misfit_histograms import misfit_histograms
from torchfit.paper.open_clusters import cluster_rows
from torchfit.paper.repeat_visits import class_scatters, repeats_by_class
from torchfit.paper.tables import column_rows
from torchfit.paper.text_numbers import in_range_share, stop_shares
from torchfit.run.material import RunMaterial

N = 40


def made_survey(**changes):
    """Forty K dwarfs, each of twenty stars seen twice."""
    rng = np.random.default_rng(3)
    star = np.arange(N) // 2
    table = pd.DataFrame(
        {
            "star": np.arange(N), "name": [f"s{s}" for s in star], "uid": [f"u{s}" for s in star],
            "mjd": 58000 + np.arange(N) % 2, "ra": 10.0 + star, "dec": 20.0, "spectral_class": "K",
            "teff": 4800 + 10.0 * star + np.where(np.arange(N) % 2, 30.0, 0.0), "logg": 4.5,
            "fe_h": np.linspace(-1, 0.3, N), "alpha_fe": 0.1 - 0.1 * np.linspace(-1, 0.3, N),
            "sse": 10.0 * rng.uniform(1, 2, N), "n_pix": 1000, "in_library": False,
            "snr_g": 30.0 + np.arange(N) // 2, "snr_i": 50.0, "group": np.arange(N) // 4,
            "iterations": np.where(np.arange(N) < 20, 5, 9), "stop": "unchanged",
        } | changes
    )  # fmt: skip
    line = {"class": "K", "threshold": 8.0, "from": "preset"}
    rejects = pd.DataFrame({"source": "x", "reason": ["bad"] * 10})
    findings = SurveyFindings({"flag_snr": [line]})
    return FinishedSurvey(table, rejects, LABELS, np.ones(N, dtype=bool), {}, findings)


def measured(survey, **comparisons):
    return MeasuredSurvey(survey, comparisons, Path("results"))


def test_repeats_are_parted_by_class():
    pairs = repeats_by_class(made_survey())
    assert set(pairs) == {"all classes", "K"} and len(pairs["K"].first) == N // 2
    rows = class_scatters(made_survey())
    assert rows[0]["pairs"] == rows[1]["pairs"] == N // 2
    # The median absolute deviation of differences of 30 K is 30 / sqrt 2.
    assert rows[1]["teff"] == pytest.approx(1.4826 * 30 / np.sqrt(2))
    assert rows[1]["logg"] == 0.0


def test_histograms_count_every_star_and_average_the_snr():
    (histogram,) = misfit_histograms(made_survey(), 6).values()
    assert histogram.counts.sum() == N and histogram.threshold == 8.0
    filled = histogram.counts > 0
    total = (histogram.counts[filled] * histogram.snr[filled]).sum()
    assert total == pytest.approx(made_survey().snr.sum())


def test_without_known_snr_there_is_no_histogram():
    assert not misfit_histograms(made_survey(snr_g=np.nan), 6)


def test_medians_follow_the_abundances():
    columns = {n: made_survey().table[n].to_numpy() for n in ("fe_h", "alpha_fe")}
    fe_h, alpha = alpha_medians(columns, np.ones(N, dtype=bool), 10)
    assert len(fe_h) == 4
    np.testing.assert_allclose(alpha, 0.1 - 0.1 * fe_h, atol=1e-9)
    assert alpha_medians(columns, np.arange(N) < 9, 10)[0].size == 0
    giants, dwarfs = slope_rows(made_survey(), "default")
    assert giants["stars"] == 0 and np.isnan(giants["[alpha/Fe], [Fe/H] < -0.5"])
    assert dwarfs["[alpha/Fe], [Fe/H] < -0.5"] > dwarfs["[alpha/Fe], [Fe/H] > -0.2"]


def against(survey, offset):
    theirs = survey.table[list(LABELS)].to_numpy() - np.array(offset)
    published = {"FGK": {"teff": (38.0, 127.0)}}
    return Comparison("APOGEE DR16", LABELS, theirs, published, "", {})


def test_offsets_stand_beside_the_papers():
    survey = made_survey()
    rows = reading_rows(measured(survey, apogee=against(survey, [25, 0.1, 0, 0])), "apogee", "x")
    (teff,) = [row for row in rows if (row["class"], row["label"]) == ("FGK", "teff")]
    assert teff["bias"] == pytest.approx(25.0) and teff["paper mean"] == 38.0
    assert teff["reading"] == "x" and teff["n"] == N


def test_all_stars_count_where_no_recommended_one_is_there():
    survey = made_survey()
    theirs = np.full((N, 4), np.nan)
    theirs[3] = 1.0
    assert counted_stars(survey, theirs).all()
    assert counted_stars(replace(survey, recommended=np.arange(N) > 10), theirs).all()
    assert counted_stars(replace(survey, recommended=np.arange(N) < 10), theirs).sum() == 10


class OnlyASurvey(RunMaterial):
    """Material of which nothing but the survey is asked for."""

    def __init__(self):
        pass

    def survey(self, reading="default"):
        return measured(made_survey())


def test_a_missing_table_is_named_with_its_place():
    figure = CatalogueComparison("pastel", "PASTEL (B/pastel of VizieR)")
    drawing = figure.draw(OnlyASurvey())
    assert drawing.text == (
        "Not drawn: give PASTEL (B/pastel of VizieR) as compare.pastel.path=FILE."
    )
    assert not drawing.figures


def test_clusters_are_found_however_they_are_spelt():
    survey = made_survey()
    names = np.array(["M 67"] * 20 + [""] * 20, dtype=object)
    comparison = ClusterComparison(names, np.where(names != "", -0.02, np.nan), {}, {})
    (row,) = cluster_rows(measured(survey), comparison, "default")
    assert row["cluster"] == "M67" and row["stars"] == 20 and row["paper mean"] == -0.06
    assert row["mean [Fe/H]"] == pytest.approx(survey.table["fe_h"][:20].mean())


def test_a_main_sequence_is_read_and_interpolated(tmp_path):
    path = tmp_path / "zams.iso.cmd"
    path.write_text(
        "# MIST\n# EEP log_Teff Gaia_BP_EDR3 Gaia_RP_EDR3\n1 3.7 6.0 5.0\n2 4.0 5.1 5.0\n"
    )
    zams = read_zams(path)
    np.testing.assert_allclose(zams, [[1.0, 10**3.7], [0.1, 1e4]])
    off = off_the_sequence(zams, np.array([0.1, 1.0, 3.0]), np.array([1e4, 6000.0, 5000.0]))
    np.testing.assert_allclose(off[:2], [0.0, 6000 - 10**3.7], atol=1e-9)
    assert np.isnan(off[2])


def test_stars_are_judged_by_their_own_colour():
    zams = np.array([[1.0, 5000.0], [0.1, 10000.0]])
    stars = ColouredStars(np.array([1.0, 0.1, np.nan]), np.array([5100.0, 9800.0, 5000.0]))
    rows = {row["stars"]: row for row in sequence_rows({"x": stars}, zams)}
    assert rows["< 7500 K"]["median off (K)"] == pytest.approx(100.0)
    assert rows["> 7500 K"]["median off (K)"] == pytest.approx(-200.0)
    assert all(row["n"] == 1 for row in rows.values())


def test_a_main_sequence_without_magnitudes_is_refused(tmp_path):
    path = tmp_path / "zams.txt"
    path.write_text("# log_Teff logg\n3.7 4.0\n")
    with pytest.raises(DataError):
        read_zams(path)


def test_both_tables_of_lasp_are_one():
    survey = made_survey()
    cool, hot = against(survey, [0, 0, 0, 0]), against(survey, [0, 0, 0, 0])
    cool.theirs[:10] = np.nan
    hot.theirs[10:] = np.nan
    found = temperatures(measured(survey, lasp=cool, lasp_a=hot))["LASP"]
    np.testing.assert_allclose(found, survey.table["teff"])
    assert temperatures(measured(survey)) == {}


def test_scales_are_judged_by_their_offset():
    theirs = np.array([1.0, 2.0, np.nan])
    scales = {"library": theirs + 0.3, "Imig": theirs - 0.1}
    rows = scale_rows(scales, theirs)
    assert [row["offset (dex)"] for row in rows] == pytest.approx([0.3, -0.1])
    assert rows[0]["n"] == 2
    assert np.isnan(scale_rows(scales, np.full(3, np.nan))[0]["offset (dex)"])


def test_columns_of_the_paper_that_are_absent_are_said_to_be():
    rows = column_rows(["teff"], {"teff": "Effective temperature"})
    by_name = {row["torchfit"]: row for row in rows}
    assert by_name["teff"]["meaning"] == "Effective temperature"
    assert sum(row["torchfit"] == "not there" for row in rows) == len(rows) - 1


def test_rejected_spectra_are_out_of_range():
    assert in_range_share(made_survey()) == pytest.approx(100 * N / (N + 10))
    assert in_range_share(made_survey(fe_h=np.nan)) == 0.0


def test_groups_are_counted_once():
    shares = stop_shares(made_survey(), 5)
    assert shares["percent of groups with 5 iterations"] == 50.0
    assert shares["percent of groups that stopped unchanged"] == 100.0
    assert shares["median iterations of a group"] == 7.0
