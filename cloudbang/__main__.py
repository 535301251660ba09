"""``python -m cloudbang``."""

from cloudbang.cli.main import run

if __name__ == "__main__":
    run()
