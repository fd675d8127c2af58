"""The result table: its schema, its parts on disk, their merge, and the files users read."""
