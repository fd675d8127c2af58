"""Small LAMOST files in the three real layouts, header card by card, data byte by byte.

The header is a real one of release 13; the older layouts differ from it in the cards below.
astropy cannot write the new layout: it drops NAXIS1 and NAXIS2 from a unit without data.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
HEADER = """\
SIMPLE  =                    T /Primary Header created by MWRFITS v1.11b
BITPIX  =                   16 /
NAXIS   =                    0 / Number of array dimensions
NAXIS1  =                 3909 /
NAXIS2  =                    5 /
EXTEND  =                    T /

COMMENT --------FILE INFORMATION
FILENAME= 'spec-60591-LN042429N340750BM01_sp01-001.fits' /
OBSID   =           1247301001 / Unique number ID of this spectrum
AUTHOR  = 'LAMOST Pipeline'    / Who compiled the information
DATA_V  = 'LAMOST DR13 Q1'     / Data release version
N_EXTEN =                    2 / The amount of extension
NORM    =                    1 / 1 if there exists a normalized spectrum
ORIGIN  = 'NAOC-LAMOST'        / Organization responsible for creating this file
DATE    = '2025-01-18T08:02:47' / Time when this HDU is created (UTC)
COMMENT --------TELESCOPE PARAMETERS
TELESCOP= 'LAMOST  '           / GuoShouJing Telescope
LONGITUD=               117.58 / [deg] Longitude of site
LATITUDE=                40.39 / [deg] Latitude of site
FOCUS   =                19964 / [mm] Telescope focus
CAMPRO  = 'NEWCAM  '           / Camera program name
CAMVER  = 'v2.0    '           / Camera program version
COMMENT --------OBSERVATION PARAMETERS
DATE-OBS= '2024-10-07T18:01:48.388' / The observation median UTC
DATE-BEG= '2024-10-08T02:01:48.388' / The observation start local time
DATE-END= '2024-10-08T04:05:40.576' / The observation end local time
LMJD    =                60591 / Local Modified Julian Day
MJD     =                60590 / Modified Julian Day
LMJMLIST= '87251191-87251223-87251255' / Local Modified Julian Minute list
PLANID  = 'LN042429N340750BM01' / Plan ID in use
RA      =            66.432980 / [deg] Right ascension of object
DEC     =            32.625089 / [deg] Declination of object
RA_OBS  =            66.432980 / [deg] Right ascension during observing
DEC_OBS =            32.625089 / [deg] Declination during observing
OFFSET  =                    F / Whether there's a offset during observing
OFFSET_V=                 0.00 / Offset value in arcsecond
DESIG   = 'LAMOST J042543.91+323730.3' / Designation of LAMOST target
FIBERID =                    1 / Fiber ID of Object
CELL_ID = 'F1624   '           / Fiber Unit ID on the focal plane
X_VALUE = '-90.2755696730'     / [mm] X coordinate of object on the focal plane
Y_VALUE = '523.4189828580'     / [mm] Y coordinate of object on the focal plane
OBJNAME = 'G172478915877176704' / Name of object
OBJTYPE = 'HRD2    '           / Object type from input catalog
TSOURCE = 'YHB     '           / Name of input catalog
TCOMMENT= '-       '           / Target information
TFROM   = 'LRS_HRD '           / Target catalog
FIB_TYPE= 'Obj     '           / Fiber type of object
FIB_MASK=                    0 / Bitmask of warning values, 0 means good
MAG_PS_G=              -999.00 / [mag] Magnitude of object
MAG_PS_R=              -999.00 / [mag] Magnitude of object
MAG_PS_I=              -999.00 / [mag] Magnitude of object
MAG_PS_Z=              -999.00 / [mag] Magnitude of object
MAG_PS_Y=              -999.00 / [mag] Magnitude of object
OBS_TYPE= 'OBJ     '           / The type of target (OBJ, FLAT, ARC or BIAS)
OBSCOMM = 'Science '           / Science or Test
RADECSYS= 'FK5     '           / Equatorial coordinate system
EQUINOX =              2000.00 / Equinox in years
LAMPLIST= 'lamphgcdne.dat'     / Arc lamp emission line list
SKYLIST = 'skylines.dat'       / Sky emission line list
NEXP    =                    3 / Number of valid exposures
NEXP_B  =                    3 / Number of valid blue exposures
NEXP_R  =                    3 / Number of valid red exposures
EXPT_B  =              5400.00 / [s] Blue exposure duration time
EXPT_R  =              5400.00 / [s] Red exposure duration time
EXPTIME =              5400.00 / [s] Minimum of exposure time for all cameras
BESTEXP =             87251255 / LMJM of the best exposure
SCAMEAN =                 6.10 / [ADU] Mean level of scatter light
COMMENT --------SPECTROGRAPH PARAMETERS
SPID    =                    1 / Spectrograph ID
SPRA    =           66.0885211 / [deg] Average RA of this spectrograph
SPDEC   =           32.1052621 / [deg] Average DEC of this spectrograph
SLIT_MOD= 'x2/3    '           / Slit mode, x1, x2/3 or x1/2
COMMENT --------WEATHER CONDITION
TEMPCCDB=              -274.00 / [deg] The temperature of blue CCD
TEMPCCDR=              -274.00 / [deg] The temperature of red CCD
SEEING  =                 2.90 / [arcsec] Seeing during exposure
MOONPHA =                 1.78 / [day] Moon phase for a 29.53 days period
TEMP_AIR=                68.20 / [deg] Temperature outside dome
TEMP_FP = '        '           / [degree celsius] Temprature of the focalplane
DEWPOINT=                 0.30 / [deg]
DUST    = '        '           / Reservation
HUMIDITY=              -120.60 /
WINDD   =               217.00 / [deg] Wind direction
WINDS   =                 2.20 / [m/s] Wind speed
SKYLEVEL= '        '           / Reservation
COMMENT --------DATA REDUCTION PARAMETERS
EXTRACT = 'aperture'           / Extraction method
SFLATTEN=                    T / Super flat has been applied
PCASKYSB=                    T / PCA sky-subtraction has been applied
NSKIES  =                   20 / Sky fiber number
SKYCHI2 =                  2.3 / Mean chi^2 of sky-subtraction
SCHI2MIN=                  1.7 / Minimum chi^2 of sky-subtraction
SCHI2MAX=                  3.2 / Maximum chi^2 of sky-subtraction
NSTD    =                    5 / Number of (good) standard stars
FSTAR   = '6-91-118-232-248'   / FiberID of flux standard stars
FCBY    = 'given   '           / Standard stars origin (auto, manual or catalog)
HELIO   =                    T / Heliocentric correction
HELIO_RV=            -23.81771 / [km/s] Heliocentric correction
VACUUM  =                    T / Wavelengths are in vacuum
NWORDER =                    2 / Number of linear-log10 coefficients
WFITTYPE= 'LOG-LINEAR'         / Linear-log10 dispersion
COEFF0  =               3.5682 / Central wavelength (log10) of first pixel
COEFF1  =               0.0001 / Log10 dispersion per pixel
WAT0_001= 'system=linear'      /
WAT1_001= 'wtype=linear label=Wavelength units=Angstroms' /
CRVAL1  =               3.5682 / Central wavelength (log10) of first pixel
CD1_1   =               0.0001 / Log10 dispersion per pixel
CRPIX1  =                    1 / Starting pixel (1-indexed)
CTYPE1  = 'LINEAR  '           /
DC-FLAG =                    1 / Log-linear flag
COMMENT --------SPECTRA ANALYSIS RESULTS
VERSPIPE= 'v2.9.8  '           / Version of Pipeline
CLASS   = 'STAR    '           / Class of object
SUBCLASS= 'G5      '           / Subclass of object
Z       =           0.00004190 / Redshift of object
Z_ERR   =           0.00001428 / Redshift error of object
ZFLAG   = 'LASP    '           / Which method computes the redshift
SNRU    =                21.90 / SNR of u filter
SNRG    =               102.45 / SNR of g filter
SNRR    =               194.94 / SNR of r filter
SNRI    =               236.02 / SNR of i filter
SNRZ    =               187.13 / SNR of z filter"""
CARDS = HEADER.splitlines()

MAGNITUDES = [f"MAG_PS_{band}" for band in "GRIZY"]
TABLE_COLUMNS = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK", "NORMALIZATION")


def replace(cards: list[str], key: str, *new: str) -> list[str]:
    """The cards with that of ``key`` exchanged for other cards, or for none."""
    return [c for card in cards for c in (new if card.startswith(key.ljust(8)) else [card])]


def card(key: str, value: object) -> str:
    """A card in the pipeline's way of writing."""
    text = f"'{value:8}'" if isinstance(value, str) else f"{str(value).upper():>20}"
    return f"{key:8}= {text} / set by make.py"


def image_cards() -> list[str]:
    """Header of the layout before release 9."""
    cards = replace(CARDS, "BITPIX", card("BITPIX", -32))
    cards = replace(cards, "NAXIS", card("NAXIS", 2))
    exten = card("EXTEN0", "Flux, Inverse, Wavelength, Andmask, Ormask")
    cards = replace(cards, "N_EXTEN", exten, card("N_EXTEN", 1), card("EXTNAME", "Flux"))
    cards = replace(cards, "NORM")
    cards = replace(cards, "FIB_TYPE", card("FIBERTYP", "Obj"))
    cards = replace(cards, "FIB_MASK", card("FIBERMAS", 0), card("MAGTYPE", "ugrizjh"))
    for i, key in enumerate(MAGNITUDES, start=1):
        cards = replace(cards, key, card(f"MAG{i}", 16.85))
    cards = replace(cards, "MAG5", *[card(f"MAG{i}", 99.0) for i in (5, 6, 7)])
    return replace(cards, "DATA_V", card("DATA_V", "LAMOST DR7"))


def first_release_cards() -> list[str]:
    """Header of release 1: other names of the S/N cards, no identifier."""
    cards = image_cards()
    cards = replace(cards, "EXTEN0", card("EXTEN0", "Flux Inverse Subcontinuum Andmask Ormask"))
    for key in ("OBSID", "DATA_V", "EXTNAME", "RA_OBS", "DEC_OBS", "OFFSET", "OFFSET_V", "ZFLAG"):
        cards = replace(cards, key)
    for band in "URGIZ":
        cards = replace(cards, f"SNR{band}", card(f"SN_{band}", 21.5))
    return cards


def table_cards(n_pix: int) -> list[str]:
    """Header of the table of the new layout."""
    sizes = {"BITPIX": 8, "NAXIS": 2, "NAXIS1": 24 * n_pix, "NAXIS2": 1, "PCOUNT": 0, "GCOUNT": 1}
    cards = [card("XTENSION", "BINTABLE"), *(card(key, size) for key, size in sizes.items())]
    cards += [card("TFIELDS", 6), card("EXTNAME", "COADD")]
    cards += [card(f"TTYPE{i}", name) for i, name in enumerate(TABLE_COLUMNS, start=1)]
    return cards + [card(f"TFORM{i}", f"{n_pix}E") for i in range(1, 7)]


def to_bytes(cards: list[str]) -> bytes:
    """A header unit: cards of 80 characters, END, filled to a block of 2880."""
    text = "".join(c.ljust(80)[:80] for c in cards) + "END".ljust(80)
    return text.ljust(-(-len(text) // 2880) * 2880).encode("ascii")


def block(rows: list[np.ndarray]) -> bytes:
    """A data unit of big-endian single precision, filled to a block of 2880."""
    data = np.concatenate([np.asarray(row, dtype="f4") for row in rows]).astype(">f4").tobytes()
    return data + b"\0" * (-len(data) % 2880)


def wavelength(n_pix: int) -> np.ndarray:
    """The pipeline's wavelengths, from single-precision coefficients."""
    return 10 ** (float(np.float32(3.5682)) + float(np.float32(1e-4)) * np.arange(n_pix))


def flux_of(n_pix: int, z: float = 0.0) -> np.ndarray:
    """A sloping continuum with H beta, 8 padding pixels of zero flux at the red end."""
    wave = wavelength(n_pix)
    flux = 300 - 0.02 * (wave - 5000) - 150 * np.exp(-0.5 * ((wave / (1 + z) - H_BETA) / 4) ** 2)
    flux[-8:] = 0
    return flux


def masks_of(n_pix: int) -> tuple[np.ndarray, np.ndarray]:
    """Inverse variance and ORMASK with a cosmic ray: flagged at its core only."""
    ivar, ormask = np.full(n_pix, 0.04), np.zeros(n_pix)
    ivar[98:103], ormask[100], ormask[200] = 0, 1, 1
    return ivar, ormask


def make(
    path: Path,
    layout: str = "table",
    header: Mapping[str, object] | None = None,
    flux: np.ndarray | None = None,
    ivar: np.ndarray | None = None,
    n_pix: int = 1400,
) -> Path:
    """Write a file in the layout ``table``, ``image`` or ``first``; gzipped if named so.

    ``header`` changes cards, or removes one whose value is ``None``.
    """
    header = {"NAXIS1": n_pix, **(header or {})}
    flux = flux_of(n_pix, float(header.get("Z") or 4.19e-5)) if flux is None else flux
    good_ivar, ormask = masks_of(n_pix)
    third = np.ones(n_pix) if layout == "first" else wavelength(n_pix)
    rows = [flux, good_ivar if ivar is None else ivar, third, np.zeros(n_pix), ormask]
    cards = {"table": CARDS, "image": image_cards(), "first": first_release_cards()}[layout]
    for key, value in header.items():
        cards = replace(cards, key, *([] if value is None else [card(key, value)]))
    raw = to_bytes(cards)
    if layout == "table":
        raw += to_bytes(table_cards(n_pix))
        rows.append(np.ones(n_pix))
    raw += block(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path
