"""Paths grouped into templates that are learned, in bounded memory, whatever is asked for."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.metrics.templates import DISTINCT, HOUR, MOST, NODES, OTHER, Templates

DATA = json.loads((Path(__file__).parents[2] / "data" / "route_sets.json").read_text("utf-8"))
NOW = 1_764_444_600


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/users/4711", "/users/:id"),
        ("/users/4711/", "/users/:id/"),
        ("/users/me", "/users/me"),
        ("/users/4711/orders/12", "/users/:id/orders/:id"),
        ("/api/v1/users", "/api/v1/users"),
        ("/api/v1.2/users", "/api/v1.2/users"),
        ("/o/123e4567-e89b-12d3-a456-426614174000", "/o/:id"),
        ("/o/123e4567e89b12d3a456426614174000", "/o/:id"),
        ("/commit/3f9ab2c1", "/commit/:id"),
        ("/deadbeef", "/deadbeef"),  # no digit: a word as far as one can see
        ("/d/2026-11-29", "/d/:id"),
        ("/d/2026-11-29T19:30:00Z", "/d/:id"),
        ("/img/17.png", "/img/:id.png"),
        ("/img/17.min.js", "/img/:id.min.js"),
        ("/assets/app.3f9ab2c1.js", "/assets/app.:id.js"),
        ("/assets/index-DmZ2qVXk9.css", "/assets/index-:id.css"),
        ("/assets/bootstrap.min.css", "/assets/bootstrap.min.css"),
        ("/reset/cus9s6XKzkNRiz8i3", "/reset/:id"),
        ("/o/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/o/:id"),
        ("/getUserPreferencesForToday", "/getUserPreferencesForToday"),
        ("/two-factor-authentication", "/two-factor-authentication"),
        ("/u/a@b.example", "/u/:id"),
        ("/p/" + "x" * 41, "/p/:id"),
        ("*", "*"),
    ],
)
def test_what_looks_made_up(path: str, template: str) -> None:
    assert Templates().of(path, NOW) == template


def words(n: int) -> list[str]:
    chance = random.Random(3)
    return ["".join(chance.choice("abcdefghijklmnop") for _ in range(8)) for _ in range(n)]


def test_many_words_at_one_place_become_any() -> None:
    """What is below them stays; of those before, the old name leads to the new one."""
    templates = Templates()
    found = [templates.of(f"/blog/{word}/comments", NOW) for word in words(DISTINCT + 1)]
    assert found[0] == f"/blog/{words(1)[0]}/comments"
    assert found[-1] == "/blog/:any/comments"
    assert {templates.fold(one) for one in found} == {"/blog/:any/comments"}
    assert templates.of("/blog/quite-new", NOW) == "/blog/:any"
    assert templates.of("/about", NOW) == "/about"


def test_the_few_by_which_most_go_keep_their_names() -> None:
    templates = Templates()
    chance, tail = random.Random(1), words(500)
    for _ in range(5_000):
        name = (
            chance.choice(["sign_in", "search"]) if chance.random() < 0.5 else chance.choice(tail)
        )
        templates.of(f"/users/{name}", NOW)
    assert templates.of("/users/sign_in", NOW) == "/users/sign_in"
    assert templates.of("/users/search", NOW) == "/users/search"
    assert templates.of(f"/users/{tail[7]}", NOW) == "/users/:any"


def test_an_extension_stays() -> None:
    templates = Templates()
    for word in words(100):
        templates.of(f"/img/{word}.png", NOW)
        templates.of(f"/img/{word}.css", NOW)
    assert templates.of("/img/another.png", NOW) == "/img/:any.png"
    assert templates.of("/img/another.css", NOW) == "/img/:any.css"


def test_thirty_words_over_hours_are_names() -> None:
    """It is within an hour that a place has more than thirty: what nobody asks for is forgotten."""
    templates = Templates()
    for hour, word in enumerate(words(200)):
        for page in ("home", "news"):
            templates.of(f"/{page}", NOW + hour * HOUR)
        assert templates.of(f"/{word}", NOW + hour * HOUR) == f"/{word}"
    assert len(templates) < 10


def test_rules_come_first() -> None:
    """A person's: a star is one segment, two at the end whatever follows."""
    templates = Templates(["/blog/*", "/docs/**", "/v.*/x"])
    assert templates.of("/blog/one", NOW) == "/blog/*"
    assert templates.of("/blog/one/two", NOW) == "/blog/one/two"
    assert templates.of("/docs/a/b/c", NOW) == "/docs/**"
    assert templates.of("/v.2/x", NOW) == "/v.*/x"
    assert templates.of("/vy2/x", NOW) == "/vy2/x"
    assert templates.fold("/blog/*") == "/blog/*"


@pytest.mark.parametrize(
    "rule", ["/" + "*a" * 40 + "*b", "/" + "*a" * 40 + "b**", "/*" * 40 + "/b"]
)
def test_no_rule_takes_longer_than_reading_the_path(rule: str) -> None:
    """Who writes a label and who asks for a path are anybody: a pattern that tried all ways for its
    stars would be at one path for years."""
    assert Templates([rule]).of("/" + "a" * 1000, NOW) != rule
    assert Templates([rule]).of("/a" * 500, NOW) != rule


@given(st.text("ab/*", max_size=8).map("/{}".format), st.text("ab/", max_size=9).map("/{}".format))
def test_a_star_is_some_of_a_segment(rule: str, path: str) -> None:
    """Whatever stands around it: as if all ways were tried."""
    said = rule[:-2] if (rest := rule.endswith("**")) else rule
    every = "[^/]+".join(map(re.escape, said.split("*"))) + (".*" if rest else "")
    assert (Templates([rule]).of(path, NOW) == rule) == bool(re.fullmatch(every, path))


def test_goes_on_after_a_restart() -> None:
    """What became :any is so at once: nobody has to ask for thirty words again."""
    templates = Templates()
    for word in words(100):
        templates.of(f"/a/{word}/x", NOW)
        templates.of(f"/b/{word}", NOW)
        templates.of(f"/c/{word}/in/{word[::-1]}", NOW)
    again = Templates()
    again.load(templates.state())
    assert again.of("/a/new/x", NOW) == "/a/:any/x"
    assert again.of("/b/new", NOW) == "/b/:any"
    assert again.of("/c/new/in/newer", NOW) == "/c/:any/in/:any"
    assert again.state() == templates.state()


def test_whoever_makes_up_paths_gets_no_more_than_is_there() -> None:
    """Tens of thousands of any form: a bounded tree, and real ones known before stay what they were."""
    templates, chance = Templates(), random.Random(9)
    real = [f"/real/{n}x/page" for n in range(20)]
    for path in real:
        templates.of(path, NOW)
    for _ in range(20_000):
        depth = chance.randrange(1, 30)
        parts = [chance.choice("abcdefgh") * chance.randrange(1, 5) for _ in range(depth)]
        templates.of("/" + "/".join(parts), NOW)
    assert len(templates) <= MOST
    assert templates._nodes <= NODES
    assert [templates.of(path, NOW) for path in real] == real


def test_more_templates_than_there_is_room_for() -> None:
    """Five hundred, then the rest together; an hour later those that nobody asks for make room."""
    templates = Templates()
    names = words(29)
    found = [templates.of(f"/{one}/{two}", NOW) for one in names for two in names]
    assert found.count(OTHER) == templates.refused == 29 * 29 - MOST
    assert templates.of(f"/{names[0]}/{names[1]}", NOW) == f"/{names[0]}/{names[1]}"
    assert templates.of(f"/{names[-1]}/{names[-2]}", NOW) == OTHER
    later = NOW + 2 * HOUR
    assert templates.of(f"/{names[-1]}/{names[-2]}", later) == f"/{names[-1]}/{names[-2]}"


def test_names_that_were_given_before_take_no_room() -> None:
    """Of many places with more than thirty words each: the words are :any by now, and others are known."""
    templates = Templates()
    for place in words(25):
        for word in words(DISTINCT + 5):
            templates.of(f"/{place}/{word}", NOW)
    assert templates.of("/quite/another", NOW) == "/quite/another"
    assert templates.refused == 0


@given(st.lists(st.text(max_size=60), max_size=80))
def test_any_text(paths: list[str]) -> None:
    """Something for each, and what it gave is known again."""
    templates = Templates()
    for path in paths:
        found = templates.of("/" + path, NOW)
        assert found
        assert templates.fold(found) == templates.fold(templates.fold(found))
    Templates().load(templates.state())


def requests_of(routes: list[str], seed: int) -> list[tuple[str, str]]:
    """Route and path of 10,000 requests: some routes are asked for a hundred times as often as
    others, and within a route some values as well."""
    chance = random.Random(seed)
    weights = [1 / (1 + rank) ** 0.8 for rank in range(len(routes))]
    shuffled = chance.sample(routes, len(routes))

    def value(match: re.Match[str]) -> str:
        pool = DATA["pools"][match[1]]
        return chance.choices(pool, [1 / rank for rank in range(1, len(pool) + 1)])[0]

    return [
        (route, re.sub(r"\{(\w+)\}", value, route))
        for route in chance.choices(shuffled, weights, k=10_000)
    ]


@pytest.mark.parametrize("name", DATA["sets"])
def test_the_routes_of_real_frameworks(name: str) -> None:
    """At least 95 % of the requests are in a template that is their route's and no other's."""
    shares = []
    for seed in range(2):
        templates = Templates()
        asked = requests_of(DATA["sets"][name], seed)
        found = [(route, templates.of(path, NOW)) for route, path in asked]
        pairs = Counter((route, templates.fold(template)) for route, template in found)
        of_route: dict[str, Counter[str]] = {}
        of_template: dict[str, Counter[str]] = {}
        for (route, template), n in pairs.items():
            of_route.setdefault(route, Counter())[template] += n
            of_template.setdefault(template, Counter())[route] += n
        right = sum(
            n
            for (route, template), n in pairs.items()
            if of_route[route].most_common(1)[0][0] == template
            and of_template[template].most_common(1)[0][0] == route
        )
        shares.append(right / len(asked))
        if shares[-1] < 0.95:
            wrong = [
                (n, route, template)
                for (route, template), n in pairs.most_common()
                if of_route[route].most_common(1)[0][0] != template
                or of_template[template].most_common(1)[0][0] != route
            ]
            raise AssertionError((shares, wrong[:12]))
