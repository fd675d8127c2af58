"""The programs: build what the configuration names, run it, say where the results are."""
