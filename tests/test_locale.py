"""Translations: complete, with the same places to fill, and nothing that is no longer said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

import pytest

from forgedoctor import Target, examine
from forgedoctor.message import LOCALES, Message, languages, t
from forgedoctor.report import text
from tools.messages import templates

LANGUAGES = [name for name in languages() if name != "en"]


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_is_complete(language: str) -> None:
    have = json.loads(Path(LOCALES, f"{language}.json").read_text(encoding="utf-8"))
    known = templates()
    assert [one for one in known if one not in have] == []
    assert [one for one in have if one not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_the_same_places_and_keeps_the_flags(language: str) -> None:
    have = json.loads(Path(LOCALES, f"{language}.json").read_text(encoding="utf-8"))
    for template, translated in have.items():
        assert places(template) == places(translated), template
        for flag in re.findall(r"--[a-z][a-z-]+", template):
            assert flag in translated, template


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_in_another_language_keeps_ids_and_commands(language: str) -> None:
    english = examine(Target(scope="args", argv=("--api", "9999")))
    other = examine(Target(scope="args", argv=("--api", "9999")), language=language)
    assert [one.check for one in english.findings] == [one.check for one in other.findings]
    assert english.findings[0].summary != other.findings[0].summary
    assert english.findings[0].fixes[0].steps == other.findings[0].fixes[0].steps
    shown = text.render(other, width=80)
    assert "arg-misspelt" in shown and "because" not in shown


def test_every_template_can_be_parsed() -> None:
    for template in templates():
        places(template)


def test_a_message_with_a_missing_parameter_is_still_said() -> None:
    assert str(Message("Port {port} is taken.", {})) == "Port {port} is taken."
    assert str(t("a {b}", b="{c}")) == "a {c}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_inside_a_message_is_said_in_the_same_language(language: str) -> None:
    inner = t("it is empty")
    outer = t("config.json is damaged ({what}), which ends the start.", what=inner)
    assert "it is empty" in str(outer)
    assert inner.text(language) in outer.text(language) and "empty" not in outer.text(language)
