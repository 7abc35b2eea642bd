"""The report: the schema that outsiders build on, the exit status, the sentences."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest

import forgedoctor
from forgedoctor import api, catalogue
from forgedoctor.report import document, json_format, text
from forgedoctor.target import Target


def report(scope: str, **given: Any) -> document.Report:
    return forgedoctor.examine(Target(scope=scope, **given))


def checked(made: document.Report) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json_format.render(made))
    jsonschema.Draft202012Validator(document.schema()).validate(data)
    return data


@pytest.mark.parametrize(
    "target",
    [
        Target(scope="args", argv=("--api",)),
        Target(scope="args", argv=("--api", "9999"), fork="neo"),
        Target(scope="args", argv=("--\x00", "\ud800", "é"), fork="reforge"),
        Target(scope="text", texts=(("", "OSError: Port 7860 is in use"),)),
        Target(scope="text", texts=(("", ""),)),
        Target(scope="text", texts=(("x.log", "\x00\x01\x02 binary \ufffd"),)),
        Target(scope="preflight", argv=("--api", "--port", "1")),
    ],
)
def test_every_report_fits_the_schema(target: Target) -> None:
    data = checked(forgedoctor.examine(target))
    assert data["schema_version"].startswith("1.")
    assert {one["check"] for one in data["checks"]} == {one.id for one in catalogue.load().checks}


def test_the_schema_only_grows_within_a_major_version() -> None:
    # The names that the first release had. Fields may be added; none of these may go.
    promised = {
        "Report": {"schema_version", "tool", "target", "summary", "findings", "advice", "checks", "unknown", "launch"},
        "ReportFinding": {
            "check",
            "severity",
            "confidence",
            "summary",
            "evidence",
            "fixes",
            "explains",
            "explained_by",
        },
        "ReportCheck": {"check", "status", "reason", "settle", "by", "duration_ms"},
        "ReportSummary": {
            "headline",
            "judged",
            "exit_code",
            "errors",
            "warnings",
            "infos",
            "passed",
            "failed",
            "unknown",
        },
        "ReportFix": {"title", "steps", "safety", "needs_admin", "undo"},
        "ReportLaunch": {"origin", "running", "effective"},
    }
    definitions = document.schema()["$defs"]
    for name, fields in promised.items():
        assert fields <= set(definitions[name]["properties"])


def test_the_effective_launch_has_what_the_contract_says() -> None:
    effective = checked(report("args", argv=("--api", "--listen", "--medvram", "--foo")))["launch"]["effective"]
    assert {
        "fork",
        "mode",
        "api",
        "host",
        "port",
        "port_range",
        "exit",
        "options",
        "ignored",
        "unknown",
        "sources",
    } <= set(effective)
    assert effective["host"] == "0.0.0.0" and effective["port_range"] == [7860, 7959]
    assert effective["exit"]["code"] == 2 and effective["exit"]["stage"] == "late"


@pytest.mark.parametrize(
    ("target", "fail_on", "code"),
    [
        (Target(scope="args", argv=("--api",)), "error", 0),
        (Target(scope="args", argv=("--api", "--lsten")), "error", 1),
        (Target(scope="args", argv=("--api", "--lsten")), "never", 0),
        (Target(scope="args", argv=("--api", "--listen")), "error", 0),
        (Target(scope="args", argv=("--api", "--listen")), "warning", 1),
        (Target(scope="args", argv=("--api", "--medvram")), "info", 1),
        (Target(scope="text", texts=(("", "good morning"),)), "error", 3),
        (Target(scope="live", directory="/no/such/folder"), "error", 3),
    ],
)
def test_exit_status(target: Target, fail_on: str, code: int) -> None:
    assert (
        forgedoctor.examine(target, fail_on=fail_on, select=["launch", "port", "reach", "security"]).summary.exit_code
        == code
    )


def test_a_password_in_the_command_line_is_in_no_sentence() -> None:
    made = report("preflight", argv=("--api", "--listen", "--api-auth", "alice:s3cretpass"))
    assert "s3cretpass" not in json_format.render(made)
    assert "s3cretpass" not in text.render(made)


def test_args_repeats_the_values_it_was_asked_about_and_redacts_the_sentences() -> None:
    made = report("args", argv=("--api", "--api-auth", "alicesecretpass"))
    assert made.launch and made.launch.effective["options"]["api_auth"] == "alicesecretpass"
    assert "alicesecretpass" not in text.render(made)


def test_the_message_of_a_finding_can_be_put_into_words_again() -> None:
    first = report("args", argv=("--api", "9999")).findings[0]
    assert first.message and first.message.template.format_map(first.message.params) == first.summary


def test_the_one_sentence_comes_first_and_commands_are_never_wrapped() -> None:
    argv = (
        "--api",
        "--gradio-allowed-path",
        "/a/rather/long/path/to/some/folder/of/outputs",
        "--lsten",
        "--port",
        "7865",
    )
    shown = text.render(report("args", argv=argv), width=60)
    body = [line for line in shown.splitlines() if line.strip()]
    assert "--lsten is misspelt" in body[1]
    assert any(line.strip().startswith("python launch.py") and "--listen" in line and "7865" in line for line in body)
    assert all(len(line) <= 60 for line in body if "python launch.py" not in line)


def test_untrusted_text_cannot_steer_the_terminal() -> None:
    evil = "ERROR: [Errno 98] bind address \x1b[2J\x1b]0;owned\x07 \u202egnp.exe already in use"
    shown = text.render(report("text", texts=(("", evil),)))
    assert "\x1b" not in shown and "\u202e" not in shown and "\x07" not in shown


def test_ascii_only_output_is_ascii() -> None:
    assert text.render(report("args", argv=("--api", "9999")), ascii_only=True).isascii()


def test_a_pasted_command_line_alone_is_advice_not_a_cause() -> None:
    made = report("text", texts=(("", "python launch.py --api --listen --medvram"),))
    assert not made.findings and {one.check for one in made.advice} >= {"insecure-exposure"}
    assert made.summary.exit_code == 0


def test_python_api_takes_known_facts() -> None:
    from forgedoctor.case import Case
    from forgedoctor.facts import Host

    result = api.examination(
        Target(scope="args", argv=("--port", "80")), case=Case(Host(system="linux", elevated=False))
    )
    assert "port-privileged" in {one.check for one in result.findings}


def test_the_report_survives_a_round_trip() -> None:
    made = report("args", argv=("--api", "9999"))
    assert msgspec.json.decode(json_format.render(made), type=document.Report) == made


def test_a_password_that_is_a_word_of_ours_does_not_blot_out_the_fields() -> None:
    made = report("preflight", argv=("--api", "--listen", "--api-auth", "alice:forge"), fork="forge")
    assert made.target.fork == "forge" and made.launch and made.launch.effective["fork"] == "forge"
    assert "alice:forge" not in json_format.render(made)
