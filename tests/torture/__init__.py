"""A torture run: see ``python -m tests.torture --help``."""
