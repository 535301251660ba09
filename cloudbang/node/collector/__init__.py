"""One reader per container, whatever the number of viewers: follow, decode, append, publish,
resume.
"""

from cloudbang.node.collector.collector import LogCollector

__all__ = ["LogCollector"]
