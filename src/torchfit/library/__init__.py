"""Labelled templates: cuts, label scaling, folds by star, and the data module."""
