"""The fit: one objective, and optimisers that share one contract."""
