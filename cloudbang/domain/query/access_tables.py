"""How servers write what they were asked and what they answered, and which fields that has.

Rows are ways of writing and not programs; the first that fits counts. Patterns are of the syntax that
Python and JavaScript share (but for the names of groups), linear, and looked for anywhere in a line.
"""

from __future__ import annotations

from dataclasses import dataclass

METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY", "PROPFIND",
    "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
)  # fmt: skip
NAMES = (
    "method", "path", "query", "protocol", "status", "size", "duration", "client", "user", "host", "referer",
    "agent",
)  # fmt: skip
"""The fields that lines may have by these tables: their names do not stand in the line."""

METHOD = rf"(?P<method>{'|'.join(METHODS)})"
STATUS = r"(?P<status>[1-5][0-9]{2})"
PROTOCOL = r"(?P<protocol>HTTP/[0-9.]{1,3})"
TARGET = r"(?P<target>(?:/|\*|https?://|[\w.-]{1,200}:[0-9])[^\s\"]{0,4000})"


@dataclass(frozen=True)
class AccessWay:
    """A row: what the tests run, and ``docs/protocols/query.md`` prints."""

    name: str
    pattern: str
    example: str
    fields: tuple[tuple[str, str], ...]
    counter: str
    source: str


WAYS = (
    AccessWay(
        "a request in quotes, who answered, and how long it took",
        rf'"{METHOD} {TARGET}(?: {PROTOCOL})?" from (?P<client>[0-9a-fA-F.:]+?)(?::[0-9]+)? - {STATUS} (?P<size>[0-9]+)B in (?P<duration>[0-9.]+[a-zµ]+)',
        '2026/02/01 09:00:00 "GET http://shop/pay?id=1 HTTP/1.1" from 10.0.0.7:51000 - 200 17B in 1.2ms',
        (("method", "GET"), ("path", "/pay"), ("query", "id=1"), ("host", "shop"), ("protocol", "HTTP/1.1"),
         ("status", "200"), ("size", "17"), ("duration", "1.2ms"), ("client", "10.0.0.7")),
        '2026/02/01 09:00:00 "GET a list" from 10.0.0.7 - done',
        "chi's middleware",
    ),
    AccessWay(
        "a request in quotes, then its status",
        rf'"{METHOD} {TARGET}(?: {PROTOCOL})?"(?::| -)?\s+{STATUS}(?![\w.])(?: (?P<size>[0-9]+)(?![\w.]))?(?: "(?P<referer>[^"]*)" "(?P<agent>(?:[^"\\]|\\.)*)")?',
        '10.0.0.7 - bob [01/Feb/2026:09:00:00 +0000] "POST /pay HTTP/2.0" 502 157 "https://a.example/" "curl/8.5"',
        (("method", "POST"), ("path", "/pay"), ("protocol", "HTTP/2.0"), ("status", "502"), ("size", "157"),
         ("referer", "https://a.example/"), ("agent", "curl/8.5"), ("user", "bob"), ("client", "10.0.0.7")),
        'he said "GET lost" 200 times',
        "the common and the combined log format: Apache, nginx, Caddy, Traefik; uvicorn, gunicorn, Django, Werkzeug, Envoy",
    ),
    AccessWay(
        "status, time and client between bars",
        rf"\|\s*{STATUS}\s*\|\s*(?P<duration>[0-9.]+[a-zµ]+)\s*\|\s*(?P<client>[0-9a-fA-F.:]+)\s*\|\s*{METHOD}\s+\"?{TARGET}",
        '[GIN] 2026/02/01 - 09:00:00 | 404 |   13.2µs |   10.0.0.7 | GET      "/pay?x=1"',
        (("method", "GET"), ("path", "/pay"), ("query", "x=1"), ("status", "404"), ("duration", "13.2µs"),
         ("client", "10.0.0.7")),
        "| 404 | rows | were | GET |",
        "Gin, Fiber",
    ),
    AccessWay(
        "status and size, then the request in quotes",
        rf'\s{STATUS} (?P<size>[0-9]+) [^"]{{0,200}}"{METHOD} {TARGET}(?: {PROTOCOL})?"',
        'haproxy[1]: 10.0.0.7:33317 [06/Feb/2026:12:14:14.655] in shop/s1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /index.html HTTP/1.1"',
        (("method", "GET"), ("path", "/index.html"), ("protocol", "HTTP/1.1"), ("status", "200"), ("size", "2750"),
         ("client", "10.0.0.7")),
        'took 200 2750 and "GET away"',
        "HAProxy",
    ),
    AccessWay(
        "method, path and status as words",
        rf"(?:^|[\s\[(]){METHOD} (?P<target>(?:/|https?://)[^\s\"]{{0,4000}})(?: {PROTOCOL})?(?: -)?(?: ->)?:? {STATUS}(?![\w.])(?: (?:in )?(?P<duration>[0-9.]+ ?(?:ns|µs|us|ms|s))(?![\w.]))?(?: - (?P<size>[0-9]+)(?![\w.]))?",
        "GET /pay 200 4.031 ms - 12",
        (("method", "GET"), ("path", "/pay"), ("status", "200"), ("size", "12"), ("duration", "4.031 ms")),
        "GET ready for 200 guests",
        "morgan, Next.js, hypercorn, many of the command line",
    ),
    AccessWay(
        "a status that ends a request",
        rf"(?:^|\s)Completed {STATUS} [A-Z][A-Za-z ]{{1,40}} in (?P<duration>[0-9.]+ ?(?:ms|s))(?![\w.])",
        "Completed 500 Internal Server Error in 12ms (ActiveRecord: 1.2ms)",
        (("status", "500"), ("duration", "12ms")),
        "Completed 500 orders in March",
        "Rails",
    ),
    AccessWay(
        "a method and a path",
        rf"(?:^|[\s\"\[(]){METHOD} \"?(?P<target>/[^\s\",)\]]{{0,4000}})\"?(?: {PROTOCOL})?(?: for (?P<client>[0-9a-fA-F.:]+))?",
        'Started GET "/orders/17" for 10.0.0.7 at 2026-02-01 09:00:00 +0000',
        (("method", "GET"), ("path", "/orders/17"), ("client", "10.0.0.7")),
        "GET the list / or not",
        "Rails, nginx's error log, frameworks' own words",
    ),
)  # fmt: skip

SIGN = rf"(?:{'|'.join(METHODS)})[ ]+\"?\S|Completed [1-5]"
"""What stands in every line that is one of these."""

CLIENT = r"(?:^|[\s|\[,])((?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]{1,4}:){7})[0-9a-fA-F:]{3,39})(?::[0-9]{1,5})?(?=[\s|\],-]|$)"
"""Who asked: the first address of a line that is one of these, where its way does not say it."""

USER = r"(?:^|\s)[^\s\"]{1,200} \S{1,100} ([^\s\"\[]{1,100}) \[[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:"
"""As whom, in the common log format; - is nobody."""
