"""Our labels beside those of others, and of the same stars seen again."""
