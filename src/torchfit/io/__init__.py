"""Files to spectra: one reader for every survey and library, and the fetching of archives."""
