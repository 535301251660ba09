"""The same words in both languages, where no catalogue is at hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in English and in Chinese."""

    en: str
    zh: str

    def of(self, chinese: bool) -> str:
        return self.zh if chinese else self.en
