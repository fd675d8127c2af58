"""What writes observed spectra with their models: a Parquet or a FITS file, a row a star."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from torchfit.files.file_name import printable
from torchfit.files.model_spectra import PIXELS, ModelSpectra

_ROW_GROUP = 128
"""Stars that are unpacked together."""


def write_parquet_models(path: Path, spectra: ModelSpectra, provenance: Mapping[str, str]) -> None:
    """Write Parquet; the same spectra give the same bytes.

    Wavelengths and resolution stand in the metadata of the file as JSON, ``wave``, ``lsf_fwhm``.

    Args:
        path: File to write.
        spectra: The spectra; kept in single precision.
        provenance: How they came about.
    """
    metadata = {
        "wave": json.dumps(spectra.wave.tolist()),
        "wave_unit": "Angstrom, vacuum, at rest",
        "lsf_fwhm": json.dumps(spectra.lsf_fwhm.tolist()),
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    columns = {"star": pa.array(spectra.star), "source": pa.array(spectra.source, pa.string())}
    schema = [pa.field(name, column.type) for name, column in columns.items()]
    for name, text in PIXELS.items():
        values = _single(spectra, name)
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        columns[name] = column
        schema.append(pa.field(name, column.type, metadata={"description": text}))
    table = pa.table(list(columns.values()), schema=pa.schema(schema, metadata))
    split = [f"{name}.list.element" for name in PIXELS if name != "mask"]
    pq.write_table(
        table, path, row_group_size=_ROW_GROUP, compression="zstd", use_dictionary=False,
        use_byte_stream_split=split,
    )  # fmt: skip


def write_fits_models(path: Path, spectra: ModelSpectra, provenance: Mapping[str, str]) -> None:
    """Write FITS: a table SPECTRA, images WAVE and LSF_FWHM; the same spectra give the same bytes.

    Args:
        path: File to write.
        spectra: The spectra; kept in single precision.
        provenance: How they came about.
    """
    n_pix = len(spectra.wave)
    text = np.array([printable(source).encode("ascii", "replace") for source in spectra.source])
    width = max(1, text.dtype.itemsize)
    columns = [
        fits.Column("STAR", "K", array=spectra.star),
        fits.Column("SOURCE", f"{width}A", array=text.astype(f"S{width}")),
    ]
    for name in PIXELS:
        layout = "B" if name == "mask" else "E"
        columns.append(fits.Column(name.upper(), f"{n_pix}{layout}", array=_single(spectra, name)))
    table = fits.BinTableHDU.from_columns(columns, name="SPECTRA")
    for number, about in enumerate(PIXELS.values(), start=3):
        table.header[f"TCOMM{number}"] = about
    for number, (key, value) in enumerate(provenance.items(), start=1):
        table.header[f"PROV{number}"] = f"{key} = {value}".encode("unicode_escape").decode()
    wave = fits.ImageHDU(spectra.wave, name="WAVE")
    wave.header["BUNIT"] = ("Angstrom", "vacuum, at rest")
    width_of_lines = fits.ImageHDU(spectra.lsf_fwhm, name="LSF_FWHM")
    width_of_lines.header["BUNIT"] = "Angstrom"
    fits.HDUList([fits.PrimaryHDU(), table, wave, width_of_lines]).writeto(path)


def _single(spectra: ModelSpectra, name: str) -> np.ndarray:
    values = getattr(spectra, name)
    return np.ascontiguousarray(values, np.uint8 if name == "mask" else np.float32)


WRITERS = {"parquet": write_parquet_models, "fits": write_fits_models}
"""By format, which is the ending of the file too."""
