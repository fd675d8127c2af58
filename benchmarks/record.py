"""What every benchmark writes: a table on the screen and the same rows as JSON."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from torchfit.files.atomic import atomic
from torchfit.report.rows import Row, format_rows
from torchfit.run.provenance import versions

FOLDER = Path("outputs/benchmarks")


def record(name: str, rows: Sequence[Row]) -> Path:
    """Print rows and write them with versions and the command that made them.

    Args:
        name: Name of the benchmark.
        rows: The result.

    Returns:
        The written file.
    """
    print(format_rows(rows))
    content = {
        "rows": list(rows),
        "versions": versions(),
        "command": " ".join(["python", *sys.argv]),
    }
    path = FOLDER / f"{name}.json"
    with atomic(path) as temp:
        temp.write_text(json.dumps(content, indent=1, allow_nan=True) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return path


def peak_gb() -> float:
    """Peak resident memory of this program so far, by Linux's account of it.

    That of ``getrusage`` begins with the peak of the process that has started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1e6
