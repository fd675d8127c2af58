"""torchfit as a user has it: its wheel, installed in a folder, and the command in it."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Installed:
    """A wheel and the folder that it is installed in.

    Args:
        wheel: The wheel.
        folder: A folder of modules, with ``bin/torchfit``.
    """

    wheel: Path
    folder: Path

    def contents(self) -> dict[str, bytes]:
        """The files of the wheel by name."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def environment(self) -> dict[str, str]:
        """Environment in which Python finds this torchfit and not that of the checkout."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PYTHONPATH": str(self.folder), "PATH": path, "OMP_NUM_THREADS": "1"}

    def run(self, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder.

        Args:
            cwd: The folder.
            words: The command.

        Returns:
            How it ended.
        """
        return subprocess.run(
            words, cwd=cwd, env=self.environment(), capture_output=True, text=True
        )


def install(folder: Path) -> Installed:
    """Build the wheel and install it, without the network.

    Args:
        folder: Where both go.

    Returns:
        The installed torchfit.
    """
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(wheel)], check=True)
    return Installed(wheel, folder / "site")
