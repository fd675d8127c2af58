"""Spectra in, measurements out."""
