"""FITS files opened by astropy, which believes whatever a header says of sizes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astropy.io import fits

from torchfit.files.fits_stream import demand_possible_sizes
from torchfit.files.table_file import quiet_astropy


@contextmanager
def open_fits(path: Path) -> Iterator[fits.HDUList]:
    """Open a file, once its sizes are known to be possible.

    Args:
        path: The file, gzipped or not.

    Yields:
        Its units.

    Raises:
        DataError: If it is missing, or its sizes are impossible.
    """
    demand_possible_sizes(path)
    with quiet_astropy(), fits.open(path, memmap=False) as units:
        yield units
