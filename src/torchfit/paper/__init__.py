"""Every figure and table of the paper: what is computed for it, and how it is drawn."""
