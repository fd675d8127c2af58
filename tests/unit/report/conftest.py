from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.finished import FinishedSurvey, SurveyFindings
from torchfit.catalogue.schema import catalogue_columns
from torchfit.names import LABELS


class Page(HTMLParser):
    """What a test asks of a page: its title, headings, pictures, links, and text."""

    def __init__(self, html):
        super().__init__()
        self.images, self.links, self.ids, self.tags, self.words = [], [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "img":
            self.images.append(attributes)
        if tag == "a":
            self.links.append(attributes["href"])

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def _table(n_stars, labels=LABELS):
    """A catalogue with plausible numbers in the columns that a report reads."""
    rng = np.random.default_rng(0)
    centre = {"teff": 6000.0, "logg": 4.0, "fe_h": -0.3, "alpha_fe": 0.1}
    spread = {"teff": 1500.0, "logg": 0.7, "fe_h": 0.4, "alpha_fe": 0.1}
    stars = np.arange(n_stars)
    cells = {"star": stars, "source": [f"spec-{star}.fits" for star in stars]}
    for label in labels:
        cells[f"{label}_lit"] = centre[label] + spread[label] * rng.uniform(-1.5, 1.5, n_stars)
        cells[label] = cells[f"{label}_lit"] + 0.1 * spread[label] * rng.normal(size=n_stars)
    cells["rchi2"] = rng.lognormal(0.0, 0.3, n_stars)
    cells["stop"] = ["max_iterations" if star % 4 == 3 else "converged" for star in stars]
    cells["iterations"] = stars + 3
    cells["in_library"] = stars % 5 == 4
    cells["spectral_class"] = np.array(["F", "G", "K"])[stars % 3]
    cells["sse"], cells["n_pix"] = rng.lognormal(0.0, 0.3, n_stars), [3000] * n_stars
    cells["snr_g"] = rng.uniform(5, 80, n_stars)
    for label in labels:
        cells[f"e_{label}"] = 0.05 * spread[label] * rng.uniform(0.5, 1.5, n_stars)
    return pd.DataFrame(
        {column.name: _cell(column, cells, stars) for column in catalogue_columns(labels)}
    )


def _cell(column, cells, stars):
    """The values of a column, or what stands for nothing in it."""
    nothing = {"str": "", "bool": False, "int64": 0}
    values = cells.get(column.name, [nothing.get(column.dtype)] * len(stars))
    return pd.Series(values, dtype=column.dtype)


def _survey(table, rejects=None, labels=LABELS, recommended=None, **findings):
    """A finished survey."""
    rejects = pd.DataFrame({"source": [], "reason": []}) if rejects is None else rejects
    provenance = {"torchfit": "0.1.0", "config": "a: 1\nb: 2\n"}
    return FinishedSurvey(
        table, rejects, labels, recommended, provenance, SurveyFindings(**findings)
    )


@pytest.fixture
def make_survey():
    return _survey


@pytest.fixture
def make_table():
    return _table


@pytest.fixture
def parse():
    return Page


@pytest.fixture
def no_rejects():
    return pd.DataFrame({"source": [], "reason": []})
