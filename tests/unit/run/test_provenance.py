from importlib.metadata import version

import torchfit
from torchfit.run.provenance import versions


def test_torchfit_and_what_its_numbers_depend_on():
    found = versions()
    assert found["torchfit"] == torchfit.__version__
    for name in ("torch", "gpytorch", "botorch", "numpy"):
        assert found[name] == version(name)


def test_the_version_is_that_of_the_package():
    assert torchfit.__version__ == version("torchfit")
