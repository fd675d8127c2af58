"""The figures of the reports; every function returns one matplotlib figure and keeps no state."""
