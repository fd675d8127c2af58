import numpy as np
import pytest

from torchfit.compare.clusters import ClusterComparison
from torchfit.report.clusters import clusters_section

LINE = {"rows": 9, "found": 5, "by identifier": 5, "by place": 0, "file": "members.csv"}
ISOCHRONE = np.array([[6000.0, 4.2], [5000.0, 4.6]])


def comparison(*names, isochrones=None):
    cluster = np.array(names, dtype=object)
    fe_h = np.where(cluster == "", np.nan, -0.02)
    return ClusterComparison(cluster, fe_h, isochrones or {}, LINE)


@pytest.fixture
def table(make_table):
    return make_table(6).assign(fe_h=[0.1, 0.3, -0.5, 0.0, 0.0, 0.0])


def test_the_metallicity_of_every_cluster(table):
    found = comparison("M 67", "M 67", "M 35", "", "", "")
    section = clusters_section(table, found, np.ones(6, dtype=bool))
    rows = section.tables[0][1]
    assert [row["cluster"] for row in rows] == ["M 67", "M 35"]
    assert rows[0]["mean [Fe/H]"] == pytest.approx(0.2)
    assert rows[0]["sigma"] == pytest.approx(0.1)
    assert rows[0]["published [Fe/H]"] == -0.02
    assert np.isnan(rows[1]["sigma"])
    assert len(section.figures) == 2


def test_a_cluster_with_an_isochrone_comes_first(table):
    found = comparison("M 67", "M 67", "M 35", "", "", "", isochrones={"M35": ISOCHRONE})
    section = clusters_section(table, found, np.ones(6, dtype=bool))
    assert section.figures[0][0].startswith("M 35")
    assert len(section.figures[0][1].axes[0].lines) == 1


def test_only_the_sample_counts(table):
    found = comparison("M 67", "M 67", "", "", "", "")
    section = clusters_section(table, found, np.arange(6) == 0)
    assert section.tables[0][1][0]["stars"] == 1


def test_no_member_is_said(table):
    section = clusters_section(table, comparison(*[""] * 6), np.ones(6, dtype=bool))
    assert "No member is among the stars that count." in section.text


def test_members_without_labels(table):
    found = comparison("M 67", *[""] * 5)
    rows = clusters_section(table.assign(fe_h=np.nan), found, np.ones(6) > 0).tables[0][1]
    assert rows[0]["stars"] == 0 and np.isnan(rows[0]["mean [Fe/H]"])
