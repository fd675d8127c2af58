"""A program in a session of its own, whose processes can be seen and struck one by one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Family:
    """``python program.py``, its children and theirs.

    Args:
        program: Name of the program.
        options: Its overrides.
        folder: Where its output is kept.
    """

    def __init__(self, program: str, options: list[str], folder: Path) -> None:
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        with self._out.open("w") as out, self._err.open("w") as err:
            self._parent = subprocess.Popen(
                [sys.executable, f"{program}.py", *options],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                    "OMP_NUM_THREADS": "1",
                },
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_hear_interrupts,
            )

    @property
    def parent(self) -> int:
        """Number of the program's own process."""
        return self._parent.pid

    @property
    def out(self) -> str:
        """What the program has printed."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        """What it has printed to standard error."""
        return self._err.read_text(errors="replace")

    def members(self) -> list[int]:
        """Numbers of the processes that live, the eldest first."""
        return sorted(
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/stat")
            if _session(path) == self._parent.pid
        )

    def runs(self) -> bool:
        """Whether the program has not ended."""
        return self._parent.poll() is None

    def interrupt(self) -> None:
        """Interrupt the program as Ctrl-C does."""
        os.kill(self._parent.pid, signal.SIGINT)

    def wait(self, patience: float) -> int | None:
        """Wait for the program's own process.

        Args:
            patience: Seconds.

        Returns:
            Its status, ``-N`` where signal N has ended it; ``None`` if it still runs.
        """
        try:
            return self._parent.wait(patience)
        except subprocess.TimeoutExpired:
            return None

    def orphans(self, patience: float) -> list[int]:
        """Wait for the children of a program that has ended.

        Args:
            patience: Seconds.

        Returns:
            Those that live on.
        """
        until = time.monotonic() + patience
        while (left := self.members()) and time.monotonic() < until:
            time.sleep(0.05)
        return left

    def __enter__(self) -> "Family":
        """The family; nothing of it lives on behind the block."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill what lives."""
        self.clear()

    def clear(self) -> None:
        """Kill what lives."""
        for process in self.members():
            os.kill(process, signal.SIGKILL)
        self._parent.wait()


def _hear_interrupts() -> None:
    """What a shell has started in the background does not, nor what that starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _session(stat: Path) -> int:
    """Session of a process; 0 of one that has ended."""
    try:
        state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return 0
    return 0 if state == "Z" else int(session)
