"""Releases and deployments: what moves an app from one release to another."""
