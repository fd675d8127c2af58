"""Which software made a result."""

from importlib.metadata import version

from torchfit import __version__

PACKAGES = ("torch", "gpytorch", "botorch", "lightning", "numpy", "astropy")


def versions() -> dict[str, str]:
    """Versions of torchfit and of the packages its numbers depend on.

    Returns:
        Version by package name.
    """
    return {"torchfit": __version__} | {name: version(name) for name in PACKAGES}
