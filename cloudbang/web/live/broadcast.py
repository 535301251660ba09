"""Sending to many: one message to all who look at a channel, and the messages of several channels.

A message costs what handing it to the kernel costs, however short it is. So what is due for one
socket at one moment is handed over at once, one message behind the other, or, to who takes that, as
one message with all of them in it; sockets that are due the same share those bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudbang.core.loop import in_turns
from cloudbang.web.live.base import Viewer, ViewerConnection
from cloudbang.web.server.frames import JoinedFrames, SharedFrame

TOGETHER = 128 * 1024
"""Bytes of messages that go in one call. A socket that does not take all of them keeps the rest,
and what is refused is refused whole; so it is no more than a page of the store."""


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A message, those whom it is for, and what is done with one whose queue is full."""

    viewers: tuple[Viewer, ...]
    frame: SharedFrame
    refused: Callable[..., None]


Piece = tuple[SharedFrame | JoinedFrames, int]


def broadcast(parcels: Sequence[Parcel]) -> None:
    """Offer each viewer its message. Of one connection no more than one viewer is in a parcel.

    Gives way to the hub about every two milliseconds, and never between two messages for one
    socket. The groups must not change meanwhile: joining and leaving make new ones, and who has
    left is no longer ``live``.
    """
    if len(parcels) > 1:
        _send_together(parcels)
        return
    for parcel in parcels:
        frame = parcel.frame
        for viewer in in_turns(parcel.viewers):
            if viewer.live and not viewer.offer(frame):
                parcel.refused(viewer)


def _send_together(parcels: Sequence[Parcel]) -> None:
    due: dict[ViewerConnection, list[tuple[Viewer, Parcel]]] = {}
    for parcel in in_turns(parcels):
        for viewer in parcel.viewers:
            due.setdefault(viewer.connection, []).append((viewer, parcel))
    made: dict[bool, dict[tuple[Parcel, ...], list[Piece]]] = {False: {}, True: {}}
    for connection, all_of_it in in_turns(due.items()):
        its = [one for one in all_of_it if one[0].live]
        what = tuple([parcel for _, parcel in its])
        pieces = made[connection.batches].get(what)
        if pieces is None:
            pieces = made[connection.batches][what] = _pieces(what, connection.batches)
        at = 0
        for frame, count in pieces:
            if not connection.offer(frame):
                for viewer, parcel in its[at : at + count]:
                    parcel.refused(viewer)
            at += count


def _pieces(parcels: Sequence[Parcel], batches: bool) -> list[Piece]:
    """Their messages in order, as few calls as may be; with each how many of them it has."""
    groups: list[list[SharedFrame]] = []
    size = TOGETHER
    for frame in (parcel.frame for parcel in parcels):
        if size + frame.size > TOGETHER:
            groups.append([])
            size = 0
        groups[-1].append(frame)
        size += frame.size
    join = batch if batches else JoinedFrames
    return [(one[0] if len(one) == 1 else join(one), len(one)) for one in groups]


def batch(frames: Sequence[SharedFrame]) -> SharedFrame:
    """These messages as one."""
    texts = b",".join([frame.payload for frame in frames])
    return SharedFrame(b'{"op":"batch","messages":[%b]}' % texts)
