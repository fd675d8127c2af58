"""``torchfit fit FILE...``: labels of single spectra, printed as a table."""

import argparse
import warnings
from collections.abc import Sequence

from torchfit.run.command import one_line_errors


def main(arguments: Sequence[str]) -> None:
    """Fit the spectra of some files and print their labels.

    Args:
        arguments: What follows ``torchfit fit``.

    Raises:
        SystemExit: With status 1 and a line on standard error, if a file cannot be fitted.
    """
    options = _parser().parse_args(list(arguments))
    with one_line_errors():
        print(fit(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "torchfit fit", description="Print the labels of single spectra as a table."
    )
    parser.add_argument("files", nargs="+", help="spectra in any format that specutils reads")
    parser.add_argument(
        "--emulator", default="miles", help="folder of an emulator, or a name (default: miles)"
    )
    parser.add_argument("--format", help="format of specutils, if it is not found out")
    parser.add_argument("--medium", choices=("air", "vacuum"), help="where files do not say it")
    parser.add_argument(
        "--z", type=float, help="redshift; measured where neither this nor the file says it"
    )
    parser.add_argument("--lsf-fwhm", type=float, help="resolution: FWHM in Angstrom")
    parser.add_argument(
        "--joint", action="store_true", help="all files are exposures of one star: one row"
    )
    parser.add_argument("--out", help="also write the table there (.csv, .ecsv, .fits)")
    return parser


def fit(options: argparse.Namespace) -> str:
    """Fit spectra and lay out what was found.

    Args:
        options: Parsed arguments.

    Returns:
        A table as text.
    """
    from torchfit.face.fitter import Fitter
    from torchfit.face.load import load
    from torchfit.face.read import read_spectra
    from torchfit.flags.bits import ResultFlag

    settings = {"z": options.z, "lsf_fwhm": options.lsf_fwhm}
    given = {name: value for name, value in settings.items() if value is not None}
    spectra = read_spectra(options.files, format=options.format, medium=options.medium, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The column of flags says the same.
        fitter = Fitter(load(options.emulator))
        result = fitter.fit_joint(spectra) if options.joint else fitter.fit(spectra)
    table = result.to_table()
    if options.out:
        table.write(options.out, overwrite=True)
    shown = table["name", *(n for n in result.columns if not n.endswith("_start"))]
    shown["flags"] = [str(ResultFlag(int(bits)).name or "-") for bits in table["flags"]]
    for name in shown.colnames[1:-1]:
        shown[name].info.format = ".5g"
    return "\n".join(shown.pformat(max_lines=-1, max_width=-1))
