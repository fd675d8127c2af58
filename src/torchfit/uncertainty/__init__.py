"""Errors of the labels."""
