import json

import pytest

from torchfit.files.ownership import WRITTEN
from torchfit.products.exposures import EXPOSURES
from torchfit.run.products import remove_older


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "catalogue.csv").touch()
    return tmp_path


def test_products_of_an_older_run_are_removed(folder):
    """The exposures of stars that are fitted one by one again, too."""
    (folder / EXPOSURES).touch()
    (folder / WRITTEN).write_text(json.dumps(["models", "catalogue.csv", EXPOSURES]))
    remove_older(folder, {"catalogue.csv": folder / "catalogue.csv"})
    assert not (folder / "models").exists()
    assert not (folder / EXPOSURES).exists()
    assert (folder / "catalogue.csv").exists()


def test_those_of_this_run_and_of_others_are_kept(folder):
    (folder / WRITTEN).write_text(json.dumps(["models"]))
    remove_older(folder, {"models": folder / "models"})
    assert (folder / "models").exists()
    (folder / WRITTEN).unlink()
    remove_older(folder, {})
    assert (folder / "models").exists()
