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
from collections.abc import Sequence
from dataclasses import replace

import lightning
import numpy as np
import torch
from sklearn.decomposition import PCA

from record import record
from settings import build, composed
from torchfit.group.grouping import Grouping
from torchfit.match.matching import Matching
from torchfit.paper.matched_library import MatchedLibrary, Order, match_library
from torchfit.report.rows import Row

ORDERS: Sequence[Order] = ("prior", "random")


def row_of(order: Order, matched: MatchedLibrary, t: int, grouping: Grouping) -> Row:
    """One line: mean over the whole groups."""
    spans, sizes, errors = [], [], []
    for _, pca, off in matched.reproduced(matched.groups(grouping, order), t, grouping):
        lower, upper = pca.bounds
        spans.append((float(lower[0]), float(upper[0])))
        sizes.append(len(lower))
        errors.append(off.reshape(-1, off.shape[-1]))
    scatter = torch.cat(errors).square().mean(dim=0).sqrt()
    low, high = np.mean(spans, axis=0)
    row: Row = {
        "groups": order,
        "t": t,
        "n_group": grouping.n_group,
        "m": float(np.mean(sizes)),
        "d1_low": float(low),
        "d1_high": float(high),
    }
    return row | {
        f"rms_{name}": float(value)
        for name, value in zip(matched.label_names, scatter, strict=True)
    }


def check(matched: MatchedLibrary, t: int, grouping: Grouping) -> float:
    """Largest difference of the first group's scores from scikit-learn's, up to their signs."""
    star = (matched.groups(grouping, "prior") == 0).nonzero()[:, 0]
    pca = matched.label_pca(star, t, grouping)
    chosen = matched.labels[matched.sets[star, :t]] / matched.half_widths[star][:, None]
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
    matching: Matching = build(cfg.match)
    matched = match_library(library, replace(matching, t=max(args.t), space="pixels"))
    rows = [
        row_of(order, matched, t, Grouping(n_group, cfg.group.variance))
        for order in ORDERS
        for t in args.t
        for n_group in args.n_group
        if t <= matched.sets.shape[1] and n_group <= len(library)
    ]
    record(args.name, rows)
    difference = check(matched, args.t[0], Grouping(args.n_group[0], cfg.group.variance))
    print(f"scores of the first group differ from scikit-learn's by at most {difference:.1e}")


if __name__ == "__main__":
    main()
