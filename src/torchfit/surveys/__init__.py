"""Readers of surveys and libraries: their files become spectra."""
