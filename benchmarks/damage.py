"""What the campaigns of damaged files share: the limits, and the count of what became of each."""

import argparse
import resource
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress

from tqdm import tqdm

from torchfit.report.rows import Row
from torchfit.survey.workers import run_jobs

AT_ONCE = 100
"""Files of a job."""
SECONDS, KILOBYTES = 5.0, 10**6
"""What a file may take."""
OUTCOMES = ("read", "rejected", "other", "slower than 5 s", "over 1 GB")
Case = tuple[str, str, list[str]]
"""Layout or format, kind of damage, and what happened."""


def peak() -> int:
    """Largest memory of this process so far, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def count_cases(
    cases_of: Callable[[int, int, int, str | None], list[Case]],
    arguments: argparse.Namespace,
    what: str,
    by: str,
) -> list[Row]:
    """Make damaged files in several processes, and count what becomes of them; Ctrl-C ends it.

    Args:
        cases_of: Makes files from a number on, so many, of a seed, and says what became of each;
            keeps those of the outcome ``other`` in a folder where one is given.
        arguments: Number of files, seed, processes and folder.
        what: What the files are, for the progress bar.
        by: Name of the first element of a case.

    Returns:
        Counts by that, and by kind of damage.
    """
    n, seed = arguments.n, arguments.seed
    jobs = (
        (first, min(AT_ONCE, n - first), seed, arguments.keep) for first in range(0, n, AT_ONCE)
    )
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    # A campaign of hours may be interrupted: what it has seen counts.
    with suppress(KeyboardInterrupt), tqdm(total=n, desc=f"damaged {what}", unit="file") as bar:
        for cases in run_jobs(cases_of, jobs, arguments.workers):
            for name, kind, happened in cases:
                counts[(by, name)].update(["files", *happened])
                counts[("damage", kind)].update(["files", *happened])
            bar.update(len(cases))
    return [
        {"by": by, "kind": kind} | {name: count[name] for name in ("files", *OUTCOMES)}
        for (by, kind), count in sorted(counts.items())
    ]
