"""What apps are reached by from outside: Caddy, its routes, and where each app answers."""

from cloudbang.gateway.errors import GatewayAway, GatewayFailed, NoFreePort, RouteTaken
from cloudbang.gateway.gateway import Gateway
from cloudbang.gateway.routes import Address

__all__ = ["Address", "Gateway", "GatewayAway", "GatewayFailed", "NoFreePort", "RouteTaken"]
