"""Write mock surveys and libraries to disk: ``python -m torchfit.mock lamost FOLDER``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from torchfit.exceptions import TorchfitError
from torchfit.mock.grid import FORMATS, write_grid
from torchfit.mock.lamost import MockLamostReader
from torchfit.mock.lamost_files import LAYOUTS, write_lamost
from torchfit.mock.mastar import MockMastarReader
from torchfit.mock.mastar_library import write_mock_mastar


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: Words after the program's name; those of the process if ``None``.
    """
    given = _parser().parse_args(arguments)
    try:
        _write(given)
    except (TorchfitError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _write(given: argparse.Namespace) -> None:
    if given.kind == "lamost":
        survey = MockLamostReader(given.n_stars, given.seed, given.repeats, given.snr)
        write_lamost(given.folder, survey, given.layout)
    elif given.kind == "grid":
        write_grid(
            given.folder, (given.cool, given.hot), given.n_teff, given.line_error, given.format
        )
    else:
        library = MockMastarReader(given.n_stars, given.seed, given.repeats, given.label_error)
        write_mock_mastar(given.folder, library)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m torchfit.mock", description="Write files of mock stars, for testing."
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    lamost = kinds.add_parser("lamost", help="a tree of LAMOST files and its catalogues")
    lamost.add_argument("--snr", type=float, default=35.0, help="median S/N per pixel")
    lamost.add_argument("--layout", choices=LAYOUTS, default="table", help="of which releases")
    mastar = kinds.add_parser("mastar", help="the files of the MaStar library")
    mastar.add_argument("--label-error", type=float, default=0.0, help="scale of label errors")
    grid = kinds.add_parser("grid", help="a regular grid of synthetic spectra, a file each")
    grid.add_argument("folder", type=Path, help="where to")
    grid.add_argument("--cool", type=float, default=4000.0, help="lowest temperature in K")
    grid.add_argument("--hot", type=float, default=7500.0, help="highest temperature in K")
    grid.add_argument("--n-teff", type=int, default=8, help="number of temperatures")
    grid.add_argument("--line-error", type=float, default=0.0, help="errors of log gf in dex")
    grid.add_argument("--format", choices=FORMATS, default="npz")
    for kind, n_stars, seed, repeats in ((lamost, 1000, 1, 0.1), (mastar, 3000, 0, 0.2)):
        kind.add_argument("folder", type=Path, help="where to")
        kind.add_argument("--n-stars", type=int, default=n_stars, help="number of spectra")
        kind.add_argument("--seed", type=int, default=seed)
        kind.add_argument("--repeats", type=float, default=repeats, help="share of repeat visits")
    return parser


if __name__ == "__main__":
    main()
