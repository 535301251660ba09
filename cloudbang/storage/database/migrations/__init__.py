"""The forms of the database, one after the other. ``python -m cloudbang.storage.database.migrations PATH``."""
