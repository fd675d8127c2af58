"""Damaged inputs by the hundred thousand: what becomes of each, how long it takes, how much memory.

    python benchmarks/faults.py spectra --n 100000

Seeded: the same command makes the same files. Every file must be read or rejected with a reason:
whatever else happens to it counts as ``other``, and none may take more than 5 s or bring the
process to more than 1 GB. A part is a module ``faults_<part>.py`` beside this one; rows of
parts that are not run now are kept from the last run.
"""

import argparse
import json
from importlib import import_module

from record import FOLDER, record
from torchfit.report.rows import Row

PARTS = ("spectra", "readers", "tables")
SECONDS, BYTES = 5.0, 10**9
"""More than these is too slow and too large."""
MUST_BE_NONE = ("other", "slower than 5 s", "over 1 GB")


def main() -> None:
    """Run the parts asked for, print and record their rows, and fail if a count is not zero."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--n", type=int, default=100_000, help="damaged files of every part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", help="folder for the files that count as other")
    arguments = parser.parse_args()
    rows = [row for row in earlier_rows() if row["part"] not in arguments.parts]
    for part in arguments.parts:
        found = import_module(f"faults_{part}").campaign(arguments)
        rows += [{"part": part} | row for row in found]
    record("faults", rows)
    failed = [row for row in rows if any(row[name] for name in MUST_BE_NONE)]
    raise SystemExit(1 if failed else 0)


def earlier_rows() -> list[Row]:
    """Rows of the last run."""
    path = FOLDER / "faults.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []


if __name__ == "__main__":
    main()
