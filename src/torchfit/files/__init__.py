"""Files: safe writing, downloads, FITS and tables; nothing here knows a star."""
