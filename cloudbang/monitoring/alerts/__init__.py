"""Alerts: what begins them, and how they are told."""
