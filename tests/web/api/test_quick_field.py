"""One field of a line of JSON, told from its bytes: the same as reading the whole line, or not told."""

from __future__ import annotations

import json
import random

import pytest

from cloudbang.domain.query import field_holds, fields_of, parse
from cloudbang.web.api.quick_field import quick_test

QUERIES = (
    *("status:<600", "status:>=500", "status:400..499", "status:503", "status:*", "status:50*"),
    *("took:>1.5", "took:..0", "took_ms:>=0.1s", "took:120ms", "key:*", "key:a*b", "user:*"),
    *(
        "user:bob",
        "n:0",
        "n:>-1",
        "n:1e3",
        "n:<=18446744073709551615",
        'n:"{}"',
        "n:null",
        "n:true",
    ),
)

NAMES = (
    "status",
    "Status",
    "took",
    "took_ms",
    "key",
    "KEY",
    "\u212aey",
    "user",
    "user.name",
    "n",
    "x",
)
NUMBERS = (
    *(
        "0",
        "-0",
        "1",
        "200",
        "404",
        "503",
        "599.5",
        "5e2",
        "1.50",
        "-3",
        "120",
        "0.10",
        "1E3",
        "1e400",
    ),
    *("18446744073709551615", "18446744073709551616", "123456789012345678901234567890", "NaN"),
    *("Infinity", "1." + "0" * 45, "-1.5e-7", "01", "1."),
)
TEXTS = (
    *(
        "503",
        "5xx",
        "bob",
        "Bob",
        "a b",
        "ab",
        "120ms",
        "0.1s",
        "",
        "status",
        "caf\u00e9",
        "cafe\u0301",
    ),
    *(
        'say "status" twice',
        "back\\slash",
        "a/b",
        "line\n",
        "tab\t",
        "\u001b[31mred",
        "\r",
        "库存",
        "{}",
    ),
    *("\u212a", "n", "null"),
)


def text(chance: random.Random, value: str) -> str:
    made = json.dumps(value, ensure_ascii=chance.random() < 0.3)
    if chance.random() < 0.05:
        made = made.replace("/", "\\/")
    if chance.random() < 0.05 and len(value) > 1 and value[0].isascii():
        made = made.replace(value[0], f"\\u{ord(value[0]):04x}", 1)
    return made


def value(chance: random.Random, depth: int) -> str:
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(NUMBERS)
    if kind < 0.7:
        return text(chance, chance.choice(TEXTS))
    if kind < 0.78:
        return chance.choice(("true", "false", "null", "[]", "{}", "nul", "[1,]"))
    if kind < 0.88 or depth > 2:
        return f"[{','.join(value(chance, depth + 1) for _ in range(chance.randrange(3)))}]"
    return thing(chance, depth + 1)


def thing(chance: random.Random, depth: int = 0) -> str:
    colon = chance.choice((":", ": ", " : ", ":\t"))
    pairs = (
        f"{text(chance, chance.choice(NAMES))}{colon}{value(chance, depth)}"
        for _ in range(chance.randrange(5))
    )
    return f"{{{chance.choice((',', ', ')).join(pairs)}}}"


def line(chance: random.Random) -> bytes:
    made = thing(chance)
    kind = chance.random()
    if kind < 0.03:
        made = f"app {made}"
    elif kind < 0.06:
        made = made[: chance.randrange(len(made) + 1)]
    elif kind < 0.08:
        made = f"{made} "
    elif kind < 0.10:
        made = made.replace(",", ",\r", 1)
    elif kind < 0.12:
        made = '{"a":' * 70 + made + "}" * 70
    elif kind < 0.14:
        made = f'{{"l":[{"0," * 600}0],{made[1:]}'
    raw = made.encode("utf-8", "surrogatepass")
    if kind > 0.97:
        at = chance.randrange(len(raw))
        raw = raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
    return raw.replace(b"\n", b" ")


@pytest.mark.parametrize("query", QUERIES)
def test_it_is_what_reading_the_line_comes_to(query: str) -> None:
    (term,) = parse(query)
    quick = quick_test(term)
    assert quick is not None
    chance = random.Random(query)
    told = 0
    for _ in range(3_000):
        raw = line(chance)
        known = quick(raw)
        if known is None:
            continue
        told += 1
        assert known == field_holds(term, fields_of(raw.decode("utf-8", "replace"))), raw
    assert told > 50


def test_of_most_lines_it_is_told() -> None:
    (term,) = parse("status:<600")
    quick = quick_test(term)
    assert quick is not None
    its = {
        "time": "2026-11-30T09:00:00Z",
        "msg": "order 库存 taken\n",
        "status": 200,
        "tags": ["a"],
    }
    assert quick(json.dumps(its, ensure_ascii=False).encode()) is True
    assert quick(json.dumps({**its, "status": 700}).encode()) is None  # it has \u
    assert quick(json.dumps({**its, "status": "700"}, ensure_ascii=False).encode()) is False


@pytest.mark.parametrize("query", ["http.status:503", '"user agent":curl*', "用户:李*"])
def test_what_it_cannot_tell_it_does_not_try(query: str) -> None:
    (term,) = parse(query)
    assert quick_test(term) is None
