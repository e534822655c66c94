"""The store: one SQLite file, one writer thread, one module a table (design section 6)."""
