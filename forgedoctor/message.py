"""Sentences a person will read: a template and its parameters, kept apart.

A message keeps its English template so that it can be shown in another language later, by a newer
program, from a saved report. Translations are looked up by the template itself.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

ENGLISH = "en"
LOCALES = Path(__file__).parent / "locale"


class Message(msgspec.Struct, frozen=True, order=True):
    """One sentence: ``template`` in English with ``{name}`` places, and the ``params`` to put there.

    A parameter may be a message itself, and is then said in the same language.
    """

    template: str
    params: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = ENGLISH) -> str:
        """The sentence in that language (English where no translation is known)."""
        template = catalogue(language).get(self.template, self.template)
        params = {name: one.text(language) if isinstance(one, Message) else one for name, one in self.params.items()}
        return _fill(template, params) or _fill(self.template, params) or self.template


def t(template: str, /, **params: Any) -> Message:
    """Make a translatable sentence: ``t("Port {port} is taken.", port=7860)``."""
    return Message(template, params)


def plain(text: str) -> Message:
    """A message that is data (a log line, a command line), never translated."""
    return Message("{text}", {"text": text})


def _fill(template: str, params: dict[str, Any]) -> str | None:
    try:
        return template.format_map(params)
    except (KeyError, IndexError, ValueError, AttributeError):
        return None


def languages() -> list[str]:
    """The languages that can be asked for."""
    return [ENGLISH, *sorted(path.stem for path in LOCALES.glob("*.json"))]


@lru_cache(maxsize=8)
def catalogue(language: str) -> dict[str, str]:
    """Translations by English template; empty for English and for a language that is not shipped."""
    if language == ENGLISH or not language.replace("_", "").isalnum():
        return {}
    try:
        loaded = json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
