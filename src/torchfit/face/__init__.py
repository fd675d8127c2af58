"""The public face: what ``import torchfit as tf`` gives a notebook."""
