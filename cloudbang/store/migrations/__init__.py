"""The forms of the database, one after the other. ``python -m cloudbang.store.migrations PATH``."""
