"""Radial velocities from scratch: masked, weighted cross-correlation with templates."""
