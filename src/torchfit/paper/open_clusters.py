"""Fig. 26 and 27: members of open clusters with isochrones, and their [Fe/H]."""

from dataclasses import dataclass

import numpy as np

from torchfit.compare.clusters import ClusterComparison, plain_name
from torchfit.compare.published import of_figure
from torchfit.names import FE_H
from torchfit.paper.comparison import missing
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material, MeasuredSurvey
from torchfit.report.clusters import clusters_section
from torchfit.report.rows import Row


def cluster_rows(survey: MeasuredSurvey, comparison: ClusterComparison, reading: str) -> list[Row]:
    """Mean and scatter of [Fe/H] of the clusters that the paper has, beside its numbers.

    Args:
        survey: The survey in a reading.
        comparison: Its members of clusters.
        reading: What the reading is called.

    Returns:
        A row for every cluster with a member that counts.
    """
    fe_h = survey.finished.table[FE_H].to_numpy(dtype=float)
    plain = np.array([plain_name(str(name)) for name in comparison.cluster], dtype=object)
    good = survey.finished.sample & np.isfinite(fe_h)
    rows: list[Row] = []
    for name, paper in _published().items():
        inside = good & (plain == plain_name(name))
        if inside.any():
            rows.append(
                {
                    "reading": reading,
                    "cluster": name,
                    "stars": int(inside.sum()),
                    "mean [Fe/H]": float(fe_h[inside].mean()),
                    "scatter": float(fe_h[inside].std()),
                    "in the table": float(np.nanmedian(comparison.fe_h[inside])),
                    **paper,
                }
            )
    return rows


def _published() -> dict[str, dict[str, float]]:
    """The paper's numbers by cluster."""
    names = {("", "mean"): "paper mean", ("", "scatter"): "paper scatter"}
    found: dict[str, dict[str, float]] = {}
    for number in of_figure(OpenClusters.number):
        if (key := (number.group, number.quantity)) in names:
            found.setdefault(number.sample, {})[names[key]] = number.value
    return found


@dataclass(frozen=True)
class OpenClusters(PaperFigure):
    """Members of clusters in the Kiel diagram, and their [Fe/H].

    Args:
        file: Which file the members are, and where it is published.
    """

    file: str
    number = "Fig. 26-27"
    title = "Open clusters"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS)
        comparison = survey.comparisons.get("clusters")
        n_stars = f"{len(survey.finished.table)} survey stars"
        if not isinstance(comparison, ClusterComparison):
            return Drawing(missing("compare.clusters.path", self.file), n_stars)
        section = clusters_section(survey.finished.table, comparison, survey.finished.sample)
        figures = [
            (
                f"{caption}, in the plane of temperature and gravity, with an isochrone if given",
                each,
            )
            for caption, each in section.figures
        ]
        rows: list[Row] = []
        for reading in (OURS, PAPER):
            measured = material.survey(reading)
            members = measured.comparisons["clusters"]
            assert isinstance(members, ClusterComparison)
            rows += cluster_rows(measured, members, reading)
        tables = [("[Fe/H] of the paper's clusters", rows), *section.tables]
        return Drawing(section.text, n_stars, figures, tables)
