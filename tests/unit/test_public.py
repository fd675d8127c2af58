"""The public names and their signatures: a change here is a change for every user."""

import inspect
import subprocess
import sys

import pytest

import torchfit as tf

SIGNATURES = {
    "Spectrum": "(wave, flux=None, ivar=None, *, medium=None, z=None, lsf_fwhm=None, name='')",
    "Fitter": "(emulator, settings='default', velocity=None)",
    "load_emulator": "(emulator='miles')",
    "read_models": "(path, stars=None)",
    "read_spectra": "(files, *, format=None, medium=None, **settings)",
}
METHODS = {
    "Emulator": {
        "predict": "(self, *labels, return_std=False, return_cov=False, **named)",
        "is_supported": "(self, *labels, **named)",
        "at_resolution": "(self, lsf_fwhm)",
        "plot": "(self, *labels, axes=None, **named)",
        "save": "(self, folder)",
        "wave": None,
        "label_names": None,
        "ranges": None,
    },
    "Fitter": {"fit": "(self, spectra)", "fit_joint": "(self, exposures)"},
    "FitResult": {
        "to_table": "(self)",
        "to_pandas": "(self)",
        "plot": "(self, axes=None)",
        "explain": "(self)",
        "flags": None,
        "columns": None,
    },
}


def signature(function):
    parameters = inspect.signature(function).parameters.values()
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return str(inspect.Signature(plain))


def test_the_public_names_are_these():
    assert set(tf.__all__) == {*SIGNATURES, *METHODS, "__version__"}
    assert dir(tf) == sorted(tf.__all__)
    assert all(getattr(tf, name) for name in tf.__all__)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_stay(name):
    assert signature(getattr(tf, name)) == SIGNATURES[name]


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner in METHODS for name in METHODS[owner]]
)
def test_methods_stay(owner, name):
    member = inspect.getattr_static(getattr(tf, owner), name)
    if METHODS[owner][name] is None:
        assert isinstance(member, property)
    else:
        assert signature(member) == METHODS[owner][name]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="torchfit"):
        _ = tf.fitter


def test_importing_the_package_does_not_import_pytorch():
    check = "import sys, torchfit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
