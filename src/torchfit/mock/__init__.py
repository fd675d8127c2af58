"""Mock stars: an analytic forward model of O-M spectra, for testing and never called real.

Spectra follow four labels by textbook physics (Saha and Boltzmann, a curve of growth, Stark
wings, molecular bands) with approximate constants. They look like stars and respond to every
label like stars do, which is what a fitter must be tested on; no label of a real star may be
measured with them.
"""
