"""Open files: how many this process may have, and how many connections that leaves room for."""

from __future__ import annotations

import errno
import resource

OWN = 500  # what is needed beside connections: readers of containers, segments, the database
KEPT = 2000  # what is kept open to be quick, and may be closed: files of control groups

WANTS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def is_want(error: BaseException) -> bool:
    """Whether something failed since this process, or the machine, has no more of what it takes to
    open a file: not what was opened is at fault, and in a moment it may go well."""
    return isinstance(error, OSError) and error.errno in WANTS


def room_for(connections: int, limit: int) -> int:
    """Of so many connections those that ``limit`` open files leave room for.

    Each connection is one, and whoever fills them up must not keep the store or a reader from
    opening a file. Where there are few, a quarter is for connections.
    """
    if limit == resource.RLIM_INFINITY:
        return connections
    return min(connections, max(limit - OWN, limit // 4))


def hard_limit() -> int:
    """How many this user may have open; RLIM_INFINITY when there is no limit."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def allow(connections: int) -> int:
    """Raise the soft limit towards so many connections; how many there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OWN + KEPT
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return room_for(connections, soft)


def to_keep() -> int:
    """How many of KEPT there is room for."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return KEPT if soft == resource.RLIM_INFINITY else min(KEPT, soft // 8)
