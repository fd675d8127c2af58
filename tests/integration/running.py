"""The real programs, in this process or in one of their own."""

import contextlib
import io
import logging
import os
import runpy
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit status, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that begins with ``error:``."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return line


def run(program: str, *options: str) -> Ended:
    """Run ``program.py`` in this process, as ``python program.py`` would."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", [f"{program}.py", *options]),
        mock.patch.dict(os.environ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        process_restored(),
    ):
        try:
            runpy.run_path(str(ROOT / f"{program}.py"), run_name="__main__")
        except SystemExit as end:
            status = int(end.code or 0)
    return Ended(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def process_restored():
    """Hydra sets the logging of the whole process, and Lightning what it does at Ctrl-C."""
    root = logging.getLogger()
    handlers, level, at_interrupt = root.handlers[:], root.level, signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        signal.signal(signal.SIGINT, at_interrupt)


def launch(program: str, *options: str, **environment: str) -> Ended:
    """Run ``python program.py`` in a process of its own."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    ended = subprocess.run(
        [sys.executable, f"{program}.py", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
