"""Preprocessing P1-P5: mask, rest frame, resample, normalise, clip; pure tensor functions."""
