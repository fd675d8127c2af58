"""From spectra to the loss of labels."""
