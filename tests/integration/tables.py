"""Tables that a user may have of the made LAMOST stars: Gaia, distances, labels, members."""

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table

FIRST_ID = 3428806540132843520
"""A Gaia identifier of 19 digits, which no float holds."""


def write_tables(catalogue: pd.DataFrame, folder: Path) -> dict[str, str]:
    """Write one table of each kind; the options that name them, by kind."""
    ids = FIRST_ID + np.arange(len(catalogue))
    places = {"ra": catalogue["ra"], "dec": catalogue["dec"]}
    magnitudes = {"phot_g_mean_mag": 12.0, "phot_bp_mean_mag": 12.5, "phot_rp_mean_mag": 11.4}
    motion = {"pmra": 10.0, "pmdec": -5.0, "phot_g_mean_flux_over_error": 500.0}
    gaia = pd.DataFrame({"source_id": ids, **places, **magnitudes, **motion})
    gaia["phot_g_mean_mag"] += np.arange(len(gaia)) / 10
    gaia.to_parquet(folder / "gaia.parquet")
    distances = {"Source": ids, "rgeo": 500.0, "b_rgeo": 450.0, "B_rgeo": 560.0}
    Table(pd.DataFrame(distances).to_dict("list")).write(folder / "distances.fits")
    labels = catalogue[["obsid", "teff", "logg", "fe_h"]].copy()
    labels["teff"] += 50.0
    labels.to_csv(folder / "labels.csv", index=False)
    star_teff = catalogue.groupby("name")["teff"].transform("mean")
    apogee = {"RA": catalogue["ra"], "DEC": catalogue["dec"], "TEFF": star_teff - 100}
    flags = {"ASPCAPFLAG": 0, "STARFLAG": 0, "EXTRATARG": 0}
    rest = {"LOGG": catalogue["logg"], "FE_H": catalogue["fe_h"], "M_H": 0.1, "ALPHA_M": 0.2}
    pd.DataFrame({**apogee, **rest, **flags}).to_csv(folder / "apogee.csv", index=False)
    members = {"Cluster": "M 67", "GaiaDR3": ids, "[Fe/H]": -0.02}
    pd.DataFrame(members).to_csv(folder / "members.csv", index=False)
    (folder / "isochrone.dat").write_text("# logTe logg\n3.80 4.2\n3.75 4.4\n3.70 4.6\n")
    return {
        "gaia_dr3": f"crossmatch.gaia_dr3.path={folder / 'gaia.parquet'}",
        "bailer_jones": f"crossmatch.bailer_jones.path={folder / 'distances.fits'}",
        "labels": f"compare.labels.path={folder / 'labels.csv'}",
        "apogee_dr16": f"compare.apogee_dr16.path={folder / 'apogee.csv'}",
        "clusters": f"compare.clusters.path={folder / 'members.csv'}",
        "isochrone": f"+compare.clusters.isochrones.m67={folder / 'isochrone.dat'}",
    }
