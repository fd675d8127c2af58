import numpy as np
import pytest

from torchfit.names import LABELS
from torchfit.report.population import population_section


@pytest.mark.parametrize(("labels", "figures"), [(LABELS[:3], 2), (LABELS, 3)])
def test_the_abundances_are_drawn_where_there_are_two(make_table, labels, figures):
    section = population_section(make_table(10, labels), None, labels)
    assert len(section.figures) == figures


def test_stars_without_labels_are_not_counted(make_table):
    table = make_table(10)
    table.loc[:3, "fe_h"] = np.nan
    assert population_section(table, None, LABELS).text == "6 of 10 stars have finite labels."
