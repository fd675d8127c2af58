import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built without a warning; that of ``$TORCHFIT_SITE`` if it was built before."""
    if built := os.environ.get("TORCHFIT_SITE"):
        return Path(built)
    for package in ("mkdocs", "material", "griffe", "nbconvert", "latex2mathml"):
        pytest.importorskip(package, reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-d", str(folder)]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return folder
