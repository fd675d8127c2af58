"""A survey of millions: pack, match, fit, and share the work among processes."""
