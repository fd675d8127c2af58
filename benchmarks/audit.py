"""Whether the audit of a library finds exchanged labels, and spares sound stars.

    python benchmarks/audit.py            # three draws of 1 % of 2000 mock templates; MILES
    python benchmarks/audit.py --miles 0  # the mock only

One per cent of the stars of a mock library, whose labels have published errors, exchange
their labels with one another. Printed are the shares that are listed and left out: of the stars
moved by more than three errors (of measured minus published labels) in any label, of those moved by
less, and of all others. Of MILES, where nothing is exchanged, the worst stars are printed.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import lightning
import torch
from omegaconf import DictConfig

from record import record
from settings import build, composed, fit_settings
from torchfit.library.audit import Findings
from torchfit.library.library import Library
from torchfit.report.rows import Row
from torchfit.run.audit import audited_emulator

MOVED = 3.0
"""Errors by which exchanged labels must differ to be found."""


def exchanged(library: Library, share: float, seed: int) -> Library:
    """A library in which some stars have exchanged their labels, with all their visits.

    Args:
        library: The library.
        share: Share of the stars, two at least.
        seed: Which stars.
    """
    names = sorted(set(library.star_names))
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(names), generator=generator)[: max(2, round(share * len(names)))]
    first = {name: library.star_names.index(name) for name in (names[i] for i in order.tolist())}
    chosen, labels = list(first), library.labels.clone()
    for name, giver in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
        rows = [row for row, other in enumerate(library.star_names) if other == name]
        labels[rows] = library.labels[first[giver]]
    return replace(library, labels=labels)


def audit(cfg: DictConfig, library: Library) -> Findings:
    """Train an emulator of a library and audit it, as ``train.py`` does."""
    training = build(cfg.emulator)
    with tempfile.TemporaryDirectory() as folder:
        emulator = training.train(
            library, build(cfg.preprocess), build(cfg.trainer), Path(folder) / "library.ckpt"
        )
    learning = build(cfg.uncertainty).learning
    findings = audited_emulator(emulator, training, fit_settings(cfg), learning)[1]
    assert findings is not None
    return findings


def shares(library: Library, true: Library, findings: Findings) -> dict[str, tuple[int, int, int]]:
    """Number of templates, listed and left out, by what has happened to their labels."""
    shift = ((library.labels - true.labels).abs() / findings.evidence.error).amax(dim=1)
    kinds = {
        "moved by more than 3 errors": shift > MOVED,
        "moved by less": (shift > 0) & (shift <= MOVED),
        "sound": shift == 0,
    }
    return {
        kind: tuple(int(each.sum()) for each in (of, of & findings.listed, of & findings.left_out))
        for kind, of in kinds.items()
    }


def mock_rows(n_stars: int, share: float, seeds: int) -> list[Row]:
    """Shares found, all draws together."""
    cfg = composed(
        ["emulator=mastar_mock", f"library.reader.n_stars={n_stars}", "emulator.max_comp=60",
         "library.reader.label_error=1.0", "emulator.samples.learn=500",
         *(f"emulator.samples.{name}=null" for name in ("residuals", "start", "held_out", "folds"))]
    )  # fmt: skip
    true = build(cfg.library)(preprocessor=build(cfg.preprocess))
    counts: dict[str, torch.Tensor] = {}
    for seed in range(seeds):
        library = exchanged(true, share, seed)
        for kind, found in shares(library, true, audit(cfg, library)).items():
            counts[kind] = counts.get(kind, torch.zeros(3)) + torch.tensor(found)
    return [
        {
            "labels": kind,
            "n": int(n),
            "listed %": 100 * float(listed / n) if n else float("nan"),
            "left out %": 100 * float(left_out / n) if n else float("nan"),
        }
        for kind, (n, listed, left_out) in counts.items()
    ]


def miles_rows(n_shown: int) -> list[Row]:
    """The worst stars of MILES."""
    cfg = composed()
    library = build(cfg.library)(preprocessor=build(cfg.preprocess))
    findings = audit(cfg, library)
    return [
        {
            "star": library.star_names[star],
            "reason": findings.reason(star),
            "size": float(findings.sizes[star].max()),
            "left out": str(bool(findings.left_out[star])),
            **_labels("published", library.labels[star]),
            **_labels("measured", findings.evidence.measured[star]),
        }
        for star in findings.ranked.tolist()[:n_shown]
    ]


def _labels(kind: str, labels: torch.Tensor) -> dict[str, float]:
    return {f"{kind} {name}": float(labels[place]) for place, name in enumerate(("T", "g", "Fe"))}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2000, help="templates of the mock library")
    parser.add_argument("--share", type=float, default=0.01, help="share of stars exchanged")
    parser.add_argument("--seeds", type=int, default=3, help="draws of the exchanged stars")
    parser.add_argument("--miles", type=int, default=20, help="stars of MILES shown; 0 for none")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    if args.seeds:
        record("audit", mock_rows(args.n, args.share, args.seeds))
    if args.miles:
        record("audit_miles", miles_rows(args.miles))


if __name__ == "__main__":
    main()
