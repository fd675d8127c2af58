"""Groups of similar spectra, and the label PCA that moves a whole group at once."""
