"""How apps and the node do: series, traffic, alerts."""
