from torchfit.preprocess.continuum import divide, smooth_median


def normalise(flux, ivar, window, smoothing=1):
    """Step P4 as a whole."""
    return divide(flux, ivar, smooth_median(flux, ivar > 0, window, smoothing))
