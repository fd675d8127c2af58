"""What others call our columns: the Unified Content Descriptors of the IVOA, and the paper."""

_LABELS = {
    "teff": "phys.temperature.effective",
    "logg": "phys.gravity",
    "fe_h": "phys.abund.Fe",
    "alpha_fe": "phys.abund",
}

UCDS = {
    "star": "meta.id;meta.main",
    "source": "meta.ref.uri",
    "obsid": "meta.id;obs",
    "uid": "meta.id",
    "name": "meta.id",
    "ra": "pos.eq.ra;meta.main",
    "dec": "pos.eq.dec;meta.main",
    "ra_obs": "pos.eq.ra",
    "dec_obs": "pos.eq.dec",
    "mjd": "time.epoch;obs",
    "subclass": "src.spType",
    "z": "src.redshift",
    "z_err": "stat.error;src.redshift",
    "v_ccf": "spect.dopplerVeloc.opt",
    "ccf_ratio": "stat.correlation",
    "gaia_source_id": "meta.id.cross",
    "sum_ormask": "meta.code.qual",
    "n_bad": "meta.number",
    "n_exposures": "meta.number",
    "cfi": "stat.correlation",
    "chi2": "stat.fit.chi2",
    "rchi2": "stat.fit.chi2",
    "sse": "stat.fit.residual",
    "n_pix": "meta.number",
    "n_clipped": "meta.number",
    "outlier_score": "stat.fit.goodness",
    "v_rad": "spect.dopplerVeloc.opt",
    "group": "meta.id.part",
    "spectral_class": "src.class",
    "rhat": "stat.fit.goodness",
    "ess": "meta.number",
    "iterations": "meta.number",
    "evaluations": "meta.number",
    "stop": "meta.note",
    "flags": "meta.code.qual",
    "in_library": "meta.code",
    "flag_snr": "meta.code.qual",
    "flag_chi2": "meta.code.qual",
    "flag_alpha_fe": "meta.code.qual",
    "logg_imig": "phys.gravity",
    "r_geo": "pos.distance;pos.eq",
    "r_geo_16th": "pos.distance;pos.eq",
    "r_geo_84th": "pos.distance;pos.eq",
    "gaia_g": "phot.mag;em.opt",
    "gaia_bp": "phot.mag;em.opt.B",
    "gaia_rp": "phot.mag;em.opt.R",
    "ebv_bayes19": "phot.color.excess",
}
"""UCD1+ descriptor by column; those of labels and errors follow from their names."""

PAPER_NAMES = {
    "obsid": "obsid",
    "uid": "uid",
    "ra_obs": "ra_obs",
    "dec_obs": "dec_obs",
    "subclass": "subclass",
    **{f"snr_{band}": f"snr{band}" for band in "ugriz"},
    "z": "z",
    "z_err": "z_err",
    "teff": "Teff",
    "logg": "logg",
    "fe_h": "[Fe/H]",
    "alpha_fe": "[alpha/Fe]",
    "e_teff": "e_Teff",
    "e_logg": "e_logg",
    "e_fe_h": "e_[Fe/H]",
    "e_alpha_fe": "e_[alpha/Fe]",
    "logg_imig": "logg_imig",
    "chi2": "chi2",
    "sum_ormask": "sum_ormask",
    "flag_snr": "FLAG_S/N",
    "flag_chi2": "FLAG_chi2",
    "flag_alpha_fe": "FLAG_[alpha/Fe]",
    "gaia_source_id": "gaia_id",
    "r_geo": "r_geo",
    "r_geo_16th": "r_geo_16th",
    "r_geo_84th": "r_geo_84th",
    "gaia_g": "G",
    "e_gaia_g": "e_G",
    "gaia_bp": "BP",
    "e_gaia_bp": "e_BP",
    "gaia_rp": "RP",
    "e_gaia_rp": "e_RP",
    "ebv_bayes19": "ebv_bayes19",
}
"""Columns of the paper's Table 1 by our names, which are plain words for FITS and Python."""


def ucd_of(name: str) -> str:
    """Return the descriptor of a column; empty for one that is not known.

    Args:
        name: Column name; ``e_teff`` is an error, ``teff_start`` another value of ``teff``.

    Returns:
        A UCD1+ descriptor.
    """
    if name.startswith("e_"):
        known = ucd_of(name.removeprefix("e_"))
        return f"stat.error;{known}" if known else ""
    if name.startswith("snr_"):
        return "stat.snr"
    if name.endswith("_std"):
        known = ucd_of(name.removesuffix("_std"))
        return f"stat.stdev;{known}" if known else ""
    label = next((each for each in _LABELS if name == each or name.startswith(f"{each}_")), "")
    return UCDS.get(name) or _LABELS.get(label, "")
