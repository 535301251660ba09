"""Measuring what runs on a node, and the node: the counterpart of the collector for numbers."""

from cloudbang.node.sampler.sampler import Sampler

__all__ = ["Sampler"]
