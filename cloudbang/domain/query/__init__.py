"""The language in which a reader says what of a log is wanted, and the fields of lines that it asks for.

``language`` reads a query into terms, ``fields`` reads the fields of a line, ``quantities`` compares
numbers, durations and sizes, ``wanted`` says of a line whether a term holds. The pages do the same
in ``static/js/logs/query/``; ``tests/data/query.json`` holds both to the same answers, and
``docs/protocols/query.md`` is the language for people.
"""

from __future__ import annotations

from cloudbang.domain.query.fields import fields_of
from cloudbang.domain.query.language import QueryError, Term, levels_of, parse, written
from cloudbang.domain.query.wanted import field_holds

__all__ = ["QueryError", "Term", "field_holds", "fields_of", "levels_of", "parse", "written"]
