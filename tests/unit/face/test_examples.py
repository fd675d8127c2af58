"""The examples in the docstrings of everything public, run on a small emulator."""

import doctest
import inspect
import sys

import numpy as np
import pytest
from matplotlib import pyplot
from tests.data.lamost.make import make as make_lamost
from tests.unit.files.models import made_models

import torchfit as tf
from torchfit.emulator.artefact import save_emulator
from torchfit.files.model_writers import WRITERS


def public_names():
    """What is in ``__all__``, and the public methods and properties of its classes."""
    for name in (name for name in tf.__all__ if not name.startswith("_")):
        yield name
        if inspect.isclass(found := getattr(tf, name)):
            members = inspect.getmembers_static(found)
            yield from (
                f"{name}.{member}"
                for member, value in members
                if not member.startswith("_") and (callable(value) or isinstance(value, property))
            )


NAMES = list(public_names())


@pytest.fixture(scope="module")
def folder(emulator, tmp_path_factory):
    """Where the files are that the examples read, and the emulator that is called ``miles``."""
    folder = tmp_path_factory.mktemp("examples")
    save_emulator(emulator, folder / "emulators" / f"miles-{tf.__version__}" / "emulator")
    make_lamost(folder / "spec-56591-EG012606N021203B01_sp01-018.fits.gz")
    models = folder / "outputs" / "infer" / "stelib" / "models"
    models.mkdir(parents=True)
    made = made_models(4)
    made.star[:] = [5, 6, 7, 8]
    WRITERS["parquet"](models / "part-000000.parquet", made, {})
    return folder


@pytest.fixture(scope="module")
def globs(emulator):
    """What the examples of methods speak of."""
    face = tf.Emulator(emulator)
    sun = face.predict(teff=5777, logg=4.44, fe_h=0.0)
    spectrum = tf.Spectrum(face.wave, sun, medium="vacuum", z=0.0)
    result = tf.Fitter(face).fit(spectrum)
    return {"tf": tf, "np": np, "emulator": face, "spectrum": spectrum, "result": result}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_what_it_gives(name, folder, globs, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TORCHFIT_CACHE", str(folder))
    owner, _, member = name.partition(".")
    found = getattr(tf, owner)
    found = inspect.getattr_static(found, member) if member else found
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(found), dict(globs), name, name, 0)
    assert test.examples, f"{name} has no example"
    assert not any(doctest.SKIP in example.options for example in test.examples)
    results = doctest.DocTestRunner().run(test, out=sys.stderr.write)
    pyplot.close("all")
    assert results.failed == 0


def test_every_public_object_is_looked_at():
    assert {"Emulator.predict", "Fitter.fit", "FitResult.to_table", "read_models"} <= set(NAMES)
