"""A program in a session of its own, whose processes can be seen and killed one by one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.running import ROOT, Ended


class Family:
    """``python program.py``, its children and theirs.

    Args:
        program: Name of the program.
        options: Its overrides.
        folder: Where its output is kept.
    """

    def __init__(self, program: str, options: list[str], folder: Path) -> None:
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        with self._out.open("w") as out, self._err.open("w") as err:
            self._parent = subprocess.Popen(
                [sys.executable, f"{program}.py", *options],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def members(self) -> list[int]:
        """Numbers of the processes that live, the eldest first."""
        return sorted(
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/stat")
            if _session(path) == self._parent.pid
        )

    def kill(self, process: int) -> None:
        """End a process as want of memory would."""
        os.kill(process, signal.SIGKILL)

    def runs(self) -> bool:
        """Whether the program has not ended."""
        return self._parent.poll() is None

    def end(self, patience: float = 300.0) -> Ended:
        """Wait for the program, and for its children, which must not outlive it for long.

        Args:
            patience: Seconds until the program, and again until its children, must have ended.

        Returns:
            How the program ended.
        """
        status = self._parent.wait(patience)
        until = time.monotonic() + patience / 10
        while self.members():
            assert time.monotonic() < until, f"{self.members()} live on"
            time.sleep(0.05)
        return Ended(status, self._out.read_text(), self._err.read_text())


def _session(stat: Path) -> int:
    """Session of a process; 0 of one that has ended."""
    try:
        state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return 0
    return 0 if state == "Z" else int(session)
