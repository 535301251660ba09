"""Releases and deployments, as values and as decisions about them."""
