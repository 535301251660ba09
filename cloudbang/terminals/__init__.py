"""Terminals: sessions that live on the server and outlive the browser tab."""
