"""One reader per container, whatever the number of viewers: follow, decode, append, publish,
resume.
"""

from cloudbang.log_collector.collector import LogCollector

__all__ = ["LogCollector"]
