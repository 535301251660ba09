"""What a Compose file names beside itself, before Compose reads it: it may name whatever there is."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

import yaml

from cloudbang.deploy.compose_errors import ComposeInvalid
from cloudbang.domain.deploy.compose_variables import interpolated


def paths_of(text: str, known: Mapping[str, str] | None = None) -> list[str]:
    """The files that services of a Compose file take variables and labels from, as it names them,
    but for those that may be missing. ``known``: values of the variables in their paths.

    Raises ComposeInvalid, also where one is named that is outside of its folder.
    """
    try:
        told = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        mark = getattr(e, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise ComposeInvalid(f"{line}{getattr(e, 'problem', None) or e}"[:300]) from None
    if not isinstance(told, Mapping):
        raise ComposeInvalid("not-a-file")
    for name, its in _services(told):
        if its is None:
            raise ComposeInvalid("empty", f"services.{name}")
    found: dict[str, None] = {}
    for field, path, required in _read(told):
        # Where a value is still needed for it there is no path yet.
        if (its_path := interpolated(path, known or {})) is not None:
            _check(field, its_path)
            found |= {posixpath.normpath(its_path): None} if required else {}
    for field, path in _taken_in(told):
        _check(field, interpolated(path, known or {}) or path)
    return list(found)


def _read(told: Mapping[str, object]) -> Iterator[tuple[str, str, bool]]:
    for service, its in _services(told):
        for key in ("env_file", "label_file"):
            for value in _values(its, key):
                for one in value if isinstance(value, list) else [value]:
                    its_own = one if isinstance(one, Mapping) else {"path": one}
                    if isinstance(path := its_own.get("path"), str):
                        required = its_own.get("required") is not False
                        yield f"services.{service}.{key}", path, required


def _taken_in(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The files whose text becomes part of it."""
    for service, its in _services(told):
        for extends in _values(its, "extends"):
            if isinstance(extends, Mapping) and isinstance(extends.get("file"), str):
                yield f"services.{service}.extends", str(extends["file"])
    include = told.get("include")
    for one in include if isinstance(include, list) else ():
        parts = one.values() if isinstance(one, Mapping) else [one]
        for part in parts:
            for path in part if isinstance(part, list) else [part]:
                if isinstance(path, str):
                    yield "include", path


def _services(told: Mapping[str, object]) -> Iterator[tuple[object, object]]:
    for services in _values(told, "services"):
        for mapping in _merged(services):
            yield from mapping.items()


def _values(its: object, key: str) -> Iterator[object]:
    """What a key holds, in an object or in those that are merged into it."""
    return (mapping[key] for mapping in _merged(its) if key in mapping)


def _merged(its: object) -> list[Mapping[object, object]]:
    """An object and those that are merged into it (``<<``), each once: written out, a few lines of
    merges within merges would be gigabytes."""
    found: dict[int, Mapping[object, object]] = {}
    left = [its]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, Mapping) and id(one) not in found:
            found[id(one)] = one
            left.append(one.get("<<"))
    return list(found.values())


def _check(field: str, path: str) -> bool:
    """Raises ComposeInvalid for what is not in the folder, or cannot be known to be."""
    if re.match(r"[a-z][a-z0-9+.-]*:|git@", path):
        raise ComposeInvalid("remote", field, path[:200])
    if path.startswith(("/", "~")) or ".." in path.split("/") or "$" in path or "\0" in path:
        raise ComposeInvalid("outside", field, path[:200])
    return True


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """One that takes tags of Compose's own (``!reset``) for nothing, and leaves what is merged where
    it is: only paths are looked for."""

    def flatten_mapping(self, node: object) -> None:
        pass


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
_Loader.add_constructor("tag:yaml.org,2002:merge", lambda loader, node: "<<")
