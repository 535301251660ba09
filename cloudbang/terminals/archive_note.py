"""What a folder's archive tells beside the folder: that something is missing in it, or changed.

Its size is not known before, so its head has gone when that is found out. A note in it is the one
way to say so to everybody who takes it, and what else is in it is still of use.
"""

from __future__ import annotations

import re
import tarfile

BLOCK = 512  # bytes
END = bytes(2 * BLOCK)
PADDING = 64 * 1024  # bytes at most that may follow the end

MISSING, CHANGED = "cloudbang-not-whole.txt", "cloudbang-changed.txt"
TEXTS = {
    MISSING: (
        "A part of this folder could not be read, and is not in this archive. What tar said:",
        "此文件夹有一部分无法读取，不在这个归档中。tar 的说明：",
    ),
    CHANGED: (
        "This folder was being written while it was read: a file may be older or newer than the "
        "one beside it, and what had gone by then is not here. What tar said:",
        "读取时此文件夹正在被写入：其中的文件可能新旧不一，当时已消失的文件不在其中。tar 的说明：",
    ),
}
# What only says that there was something else, or is about the locale.
_REMARK = re.compile(r"previous errors|[Rr]emoving leading|setlocale|^\s*$")
_CHANGED = re.compile(
    r"file changed as we read it|[Ff]ile removed before we read it|shrank by|No such file or directory"
)
_WITHOUT_CONTENT = (
    *(tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE),
    *(tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE),
)


class ArchiveReader:
    """Passes on an archive that comes in pieces, but for its end, before which there may be a note.

    ``ended``: the end has come, so all of it was there. What cannot be understood is passed on as
    it is, and then has no end.
    """

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""  # its own end and the padding after it
        self._left = 0  # bytes of a member's content that are still to come
        self._kept = b""  # the beginning of a block
        self._lost = False

    def feed(self, data: bytes) -> bytes:
        """What may be passed on."""
        if self.ended:
            self.rest += data[: PADDING - len(self.rest)]
            return b""
        if self._lost:
            return data
        data, self._kept = self._kept + data, b""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            block = data[at : at + BLOCK]
            if len(block) < BLOCK:
                self._kept = block
                return data[:at]
            if not any(block):
                self.ended = True
                self.rest = data[at : at + PADDING]
                return data[:at]
            try:
                head = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            except tarfile.HeaderError:
                self._lost = True
                return data
            at += BLOCK
            if head.type not in _WITHOUT_CONTENT:
                self._left = -(-head.size // BLOCK) * BLOCK
        return data


def note(said: str, now: float) -> bytes:
    """A member with what tar ``said`` against the folder, and the archive's end. ``now``: seconds
    since 1970."""
    lines = [line for line in said.splitlines() if not _REMARK.search(line)]
    only_changed = lines and all(_CHANGED.search(line) for line in lines)
    name = CHANGED if only_changed else MISSING
    text = "\n".join((*TEXTS[name], "", *lines, "")).encode()
    head = tarfile.TarInfo(name)
    head.size, head.mtime = len(text), int(now)
    return head.tobuf(tarfile.GNU_FORMAT) + text + bytes(-len(text) % BLOCK) + END
