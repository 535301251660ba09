"""What people get from apps that serve them, counted from the gateway's access log."""

from cloudbang.monitoring.traffic.rules import AddressRules
from cloudbang.monitoring.traffic.traffic import Traffic

__all__ = ["AddressRules", "Traffic"]
