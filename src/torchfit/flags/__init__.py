"""Quality flags: one bit, one rule."""
