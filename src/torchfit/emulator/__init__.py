"""The emulator: from labels to flux, by a Gaussian process over the coefficients of a flux PCA."""
