"""Matching of survey spectra to the library: correlation, start labels, matched sets."""
