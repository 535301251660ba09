"""Writes an access log as Caddy does: ``python -m bench.traffic_writer PATH LINES RATE PATHS``.

``RATE`` lines a second, or 0 for as fast as it can; then every file is kept, and it waits where many
are: whoever has read one takes it away.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

FULL = 32 * 1024 * 1024
WAITING = 8  # files that nobody has taken away
TOGETHER = 0.02  # seconds: what a busy gateway writes between two looks

LINE = (
    '{{"level":"info","ts":{ts:.7f},"logger":"http.log.access.log0","msg":"handled request",'
    '"request":{{"remote_ip":"{ip}","remote_port":"{port}","client_ip":"{ip}","proto":"HTTP/1.1",'
    '"method":"{method}","host":"web.example.com","uri":"{uri}"}},"bytes_read":0,"user_id":"",'
    '"duration":{took:.9f},"size":{size},"status":{status},"app":"web","upstream":"10.0.1.{n}:80",'
    '"type":"text/html; charset=utf-8"}}\n'
)
WORDS = ["".join(random.Random(n).choices("abcdefghijklmnoprstuvw", k=7)) for n in range(1000)]


def path(n: int) -> str:
    """One of a million: some hundred routes of numbers, words and both."""
    kind, rest = n % 10, n // 10
    if kind < 5:
        return f"/api/v1/{WORDS[rest % 20]}/{rest}"
    if kind < 8:
        return f"/{WORDS[rest % 15]}/{WORDS[rest % 997]}/{WORDS[rest // 997 % 1000]}"
    return f"/blog/{WORDS[rest % 1000]}-{WORDS[rest // 1000 % 1000]}-{rest}?page={n}&token=secret"


def main() -> None:
    log, lines, rate, paths = Path(sys.argv[1]), *map(int, sys.argv[2:])
    chance = random.Random(lines)
    file, wrote, began = log.open("a", buffering=1024 * 1024), 0, time.monotonic()
    rotations = 0
    while wrote < lines:
        piece = max(int(rate * TOGETHER), 1) if rate else 2_000
        now = time.time()
        for _ in range(min(piece, lines - wrote)):
            text = LINE.format(
                ts=now,
                ip=f"10.{chance.randrange(4)}.{chance.randrange(64)}.{chance.randrange(250)}",
                port=chance.randrange(1024, 65536),
                method="POST" if chance.random() < 0.1 else "GET",
                uri=path(chance.randrange(paths)),
                took=chance.lognormvariate(-4, 1),
                size=chance.randrange(20_000),
                status=chance.choices((200, 304, 404, 500), (90, 5, 4, 1))[0],
                n=chance.randrange(2, 6),
            )
            file.write(text)
            wrote += 1
        file.flush()
        if file.tell() > FULL:
            file.close()
            rotations += 1
            log.rename(
                log.with_name(f"access-{time.strftime('%Y-%m-%dT%H-%M-%S')}.{rotations:03}.log")
            )
            for old in sorted(log.parent.glob("access-*.log"))[: -4 if rate else 0]:
                old.unlink()
            while not rate and len(list(log.parent.glob("access-*.log"))) > WAITING:
                time.sleep(0.05)
            file = log.open("a", buffering=1024 * 1024)
        if rate:
            time.sleep(max(began + wrote / rate - time.monotonic(), 0))
    file.close()


if __name__ == "__main__":
    main()
