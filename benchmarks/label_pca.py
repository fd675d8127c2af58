"""The label PCA of groups: how far its first component reaches, and what it loses.

    python benchmarks/label_pca.py
    python benchmarks/label_pca.py library=mastar_mock preprocess=mastar

Every star of a library is matched to all others (never to itself or another visit), as a survey
would be. For every t and N_group: number of components m, bounds of the first score d_1, and the
error with which the components reproduce the labels of the matched sets, with groups ordered by
start labels (``prior``) and with groups drawn at random. The package scikit-learn repeats the
components of the first group in the same run.
"""

import argparse

import lightning
import numpy as np
import torch
from sklearn.decomposition import PCA

from record import record
from settings import build, composed
from torchfit.group.grouping import Grouping
from torchfit.library.identity import star_key
from torchfit.library.library import Library
from torchfit.match.cfi import correlate
from torchfit.match.matching import Matching
from torchfit.report.rows import Row

AT_ONCE = 512


def match(library: Library, matching: Matching) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Matched sets, half-widths and start labels of every star among the others."""
    key = np.array([star_key(name) for name in library.star_names])
    found = []
    for piece in torch.arange(len(library)).split(AT_ONCE):
        cfi = correlate(library.spectra[piece], library.spectra)
        same = torch.from_numpy(key[piece.numpy()][:, None] == key)
        cfi = cfi.masked_fill(same, -1.0)
        start = matching.start(cfi, library)
        sets, widths = matching.sets(cfi, library, start)
        found.append((sets, widths, start))
    sets, widths, start = (torch.cat(parts) for parts in zip(*found, strict=True))
    return sets, widths, start


def groups_of(kind: str, start: torch.Tensor, grouping: Grouping, seed: int) -> torch.Tensor:
    """Group of every star, ordered by start labels or drawn at random."""
    _, group = grouping.order([""] * len(start), start.numpy())
    if kind == "random":
        group = np.random.default_rng(seed).permutation(group)
    return torch.from_numpy(group)


def row_of(
    kind: str, library: Library, found: tuple[torch.Tensor, ...], t: int, grouping: Grouping
) -> Row:
    """One line: mean over the whole groups."""
    sets, widths, start = found
    group = groups_of(kind, start, grouping, seed=0)
    spans, sizes, errors = [], [], []
    for number in group.unique().tolist():
        star = (group == number).nonzero()[:, 0]
        pca = grouping.label_pca(library.labels, sets[star, :t], widths[star])
        lower, upper = pca.bounds
        spans.append((float(lower[0]), float(upper[0])))
        sizes.append(len(lower))
        residual = pca.labels(pca.scores) - library.labels[sets[star, :t]]
        errors.append(residual.reshape(-1, residual.shape[-1]))
    scatter = torch.cat(errors).square().mean(dim=0).sqrt()
    low, high = np.mean(spans, axis=0)
    row: Row = {
        "groups": kind,
        "t": t,
        "n_group": grouping.n_group,
        "m": float(np.mean(sizes)),
        "d1_low": float(low),
        "d1_high": float(high),
    }
    return row | {
        f"rms_{name}": float(value)
        for name, value in zip(library.label_names, scatter, strict=True)
    }


def check(library: Library, found: tuple[torch.Tensor, ...], t: int, grouping: Grouping) -> float:
    """Largest difference of the first group's scores from scikit-learn's, up to their signs."""
    sets, widths, start = found
    star = (groups_of("prior", start, grouping, 0) == 0).nonzero()[:, 0]
    pca = grouping.label_pca(library.labels, sets[star, :t], widths[star])
    chosen = library.labels[sets[star, :t]] / widths[star][:, None]
    theta = chosen.transpose(0, 1).flatten(1).numpy()
    peer = PCA(pca.scores.shape[1], svd_solver="full").fit_transform(theta)
    return float(np.abs(np.abs(peer) - pca.scores.abs().numpy()).max())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--t", type=int, nargs="+", default=[10, 25, 50, 100, 200])
    parser.add_argument("--n-group", type=int, nargs="+", default=[1, 10, 50, 100, 200])
    parser.add_argument("--name", default="label_pca")
    parser.add_argument("overrides", nargs="*", help="overrides, such as library=mastar_mock")
    args = parser.parse_args()
    lightning.seed_everything(0, verbose=False)
    cfg = composed(args.overrides)
    library = build(cfg.library)(preprocessor=build(cfg.preprocess))
    most = min(max(args.t), len(library) - 1)
    found = match(library, Matching(t=most, n_best=cfg.match.n_best, prior=build(cfg.match.prior)))
    variance = cfg.group.variance
    rows = [
        row_of(kind, library, found, t, Grouping(n_group, variance))
        for kind in ("prior", "random")
        for t in args.t
        for n_group in args.n_group
        if t <= most and n_group <= len(library)
    ]
    record(args.name, rows)
    difference = check(library, found, args.t[0], Grouping(args.n_group[0], variance))
    print(f"scores of the first group differ from scikit-learn's by at most {difference:.1e}")


if __name__ == "__main__":
    main()
