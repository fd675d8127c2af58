import numpy as np
import pytest

from torchfit.report.colours import colours_section, dereddened_colour


def test_the_colour_is_bluer_without_the_dust(make_table):
    table = make_table(2).assign(gaia_bp=13.0, gaia_rp=12.0, ebv_bayes19=[0.0, 0.5])
    np.testing.assert_allclose(dereddened_colour(table), [1.0, 1.0 - 1.33 * 0.5])


def test_stars_with_colours_are_drawn(make_table):
    table = make_table(20).assign(gaia_bp=13.0, gaia_rp=12.0, ebv_bayes19=0.1)
    table.loc[:4, "gaia_bp"] = np.nan
    section = colours_section(table)
    assert section.text.startswith("15 stars")
    assert len(section.figures) == 1


@pytest.mark.parametrize("missing", ["gaia_bp", "ebv_bayes19", "teff"])
def test_without_them_it_is_said_what_to_join(make_table, missing):
    table = make_table(5).assign(gaia_bp=13.0, gaia_rp=12.0, ebv_bayes19=0.1)
    section = colours_section(table.assign(**{missing: np.nan}))
    assert "crossmatch=[gaia_dr3,bailer_jones,bayestar19]" in section.text
