"""CloudBang Community Edition: a container management platform for one machine."""

__version__ = "0.2.0"
