"""What a survey can become beside its catalogue: spectra with their models."""
