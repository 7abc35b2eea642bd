"""``forgedoctor api`` as a person runs it, against real servers: the first cause and the exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from forgedoctor.report.document import schema
from tests.forge_like import free_port, report
from tests.standin.launcher import standin

SCHEMA = Draft202012Validator(schema())
TIMEOUT = "0.7"  # seconds: the stand-in answers in a hundredth of that, a silent peer costs it once


def examined(url: str, *words: str) -> dict[str, Any]:
    """The report on a URL, which keeps to the schema and in which no check has failed to run."""
    made = report("api", url, "--timeout", TIMEOUT, "--lang", "en", *words, env={"FORGEDOCTOR_AUTH": ""})
    SCHEMA.validate(made)
    assert made["summary"]["crashed"] == 0
    return made


def causes(made: dict[str, Any]) -> list[tuple[str, str]]:
    """Check and severity of each finding that follows from no other."""
    return [(one["check"], one["severity"]) for one in made["findings"] if not one["explained_by"]]


def exit_status(made: dict[str, Any]) -> int:
    """The exit status, which is the one in the report: see :func:`tests.forge_like.report`."""
    status: int = made["summary"]["exit_code"]
    return status


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    with standin("ui-api") as url:
        yield url


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with standin("ui-api-auth") as url:
        yield url


@pytest.fixture(scope="module")
def over_tls() -> Iterator[str]:
    with standin("tls") as url:
        yield url


@pytest.fixture(scope="module")
def api_off() -> Iterator[str]:
    with standin("ui-no-api") as url:
        yield url


@pytest.mark.parametrize("path", ["", "/", "/sdapi/v1/txt2img", "/docs", "/internal/ping"])
def test_a_healthy_api_is_found_so_whatever_was_pasted(healthy: str, path: str) -> None:
    made = examined(healthy + path)
    assert (causes(made), exit_status(made)) == ([], 0)
    assert made["target"]["fork"] == "forge" and made["unknown"] == []


@pytest.mark.parametrize("mode", ["nowebui", "ui-gradio-auth", "ui-subpath", "nginx-413"])
def test_other_healthy_ways_to_serve_the_api(mode: str) -> None:
    with standin(mode) as url:
        made = examined(url)
    assert (causes(made), exit_status(made)) == ([], 0)


def test_the_api_is_off(api_off: str) -> None:
    made = examined(api_off)
    assert (causes(made), exit_status(made)) == ([("api-flag-missing", "error")], 1)
    (unknown,) = made["unknown"]
    assert unknown["checks"] == ["server-half-dead"] and "flags are not known" in unknown["reason"]


TROUBLES = [
    ("half-dead", "api-flag-missing"),  # from outside no other than an API that was never asked for
    ("half-dead-proxy", "server-half-dead"),
    ("starting", "server-half-dead"),
    ("queue-full", "concurrent-requests"),
    ("event-loop-blocked", "server-silent"),
    ("nowebui-subpath", "api-not-seen"),
    ("accept-silent", "server-silent"),
    ("slow-drip", "server-silent"),
    ("close-without-bytes", "server-closes"),
    ("endless-header", "server-closes"),
    ("ssh-banner", "wrong-program-on-port"),
    ("endless-body-chunked", "wrong-program-on-port"),
    ("gzip-bomb", "wrong-program-on-port"),
    ("invalid-utf8", "wrong-program-on-port"),
    ("json-not-object", "wrong-program-on-port"),
    ("comfyui", "wrong-program-on-port"),
    ("ollama", "wrong-program-on-port"),
    ("gradio-app", "wrong-program-on-port"),
    ("nginx-default", "wrong-program-on-port"),
    ("nginx-502", "not-ready-yet"),
    ("nginx-504", "not-ready-yet"),
    ("via-503", "not-ready-yet"),
    ("redirect-loop", "endpoint-redirects"),
    ("redirect-https", "endpoint-redirects"),
    ("login-proxy", "endpoint-redirects"),
]


@pytest.mark.parametrize(("mode", "cause"), TROUBLES, ids=[mode for mode, _ in TROUBLES])
def test_one_cause_is_named(mode: str, cause: str) -> None:
    with standin(mode, until=60.0 if mode == "starting" else None) as url:
        made = examined(url)
    assert (causes(made), exit_status(made)) == ([(cause, "error")], 1)
    first = made["findings"][0]
    assert first["evidence"] and first["fixes"] and made["summary"]["headline"] == first["summary"]


@pytest.mark.parametrize(
    ("login", "cause", "status"),
    [
        ("", [("api-auth-required", "info")], 0),
        ("user:secret", [], 0),
        ("user:sesame", [("api-auth-required", "error")], 1),
    ],
)
def test_the_login(guarded: str, login: str, cause: list[tuple[str, str]], status: int) -> None:
    made = examined(guarded, *(["--auth", login] if login else []))
    assert (causes(made), exit_status(made)) == (cause, status)
    assert "secret" not in json.dumps(made) and "sesame" not in json.dumps(made)


def test_a_login_of_the_proxy_hides_the_api() -> None:
    with standin("nginx-401") as url:
        made = examined(url)
    assert (causes(made), exit_status(made)) == ([("api-auth-required", "warning")], 0)
    assert "nginx" in made["summary"]["headline"]


def test_a_self_signed_certificate_is_a_warning(over_tls: str) -> None:
    made = examined(over_tls)
    assert (causes(made), exit_status(made)) == ([("tls-cert-unusable", "warning")], 0)


def test_http_to_a_port_that_speaks_https(over_tls: str) -> None:
    made = examined(over_tls.replace("https:", "http:"))
    assert (causes(made), exit_status(made)) == ([("tls-mismatch", "error")], 1)
    assert over_tls in made["findings"][0]["fixes"][0]["title"]


def test_https_to_a_port_that_speaks_http(healthy: str) -> None:
    made = examined(healthy.replace("http:", "https:"))
    assert (causes(made), exit_status(made)) == ([("tls-mismatch", "error")], 1)
    assert healthy in made["findings"][0]["fixes"][0]["title"]


def test_a_path_too_many(healthy: str, api_off: str) -> None:
    made = examined(f"{healthy}/forge")
    assert (causes(made), exit_status(made)) == ([("client-wrong-url", "error")], 1)
    assert healthy in made["findings"][0]["fixes"][0]["title"]
    assert causes(examined(f"{api_off}/forge")) == [("api-not-seen", "error")]


@pytest.mark.parametrize("host", ["127.0.0.1", "forge.invalid"])
def test_nothing_is_there(host: str) -> None:
    made = examined(f"http://{host}:{free_port()}")
    assert (causes(made), exit_status(made)) == ([("endpoint-unreachable", "error")], 1)
    assert host in made["summary"]["headline"]


def test_one_image_is_made_and_timed(healthy: str) -> None:
    made = examined(healthy, "--generate")
    assert (causes(made), exit_status(made)) == ([("generation-works", "info")], 0)


def test_an_image_that_fails_is_told_in_the_servers_words() -> None:
    with standin("ui-api", fail="disk-full") as url:
        made = examined(url, "--generate")
    assert (causes(made), exit_status(made)) == ([("generation-failed", "error")], 1)
    assert "No space left on device" in made["summary"]["headline"]


def test_no_image_is_no_cause_of_its_own(api_off: str) -> None:
    made = examined(api_off, "--generate")
    assert causes(made) == [("api-flag-missing", "error")]
    assert {"generation-failed", "server-half-dead"} == {check for one in made["unknown"] for check in one["checks"]}


def test_checks_of_an_image_that_was_not_asked_for_judge_nothing(healthy: str) -> None:
    made = examined(healthy, "--select", "generation-failed,generation-works")
    assert made["summary"]["skipped"] == 2 and exit_status(made) == 3


def test_a_card_that_ran_out_of_memory_is_told_by_the_server_s_own_numbers() -> None:
    with standin("ui-api", memory="oom") as url:
        made = examined(url)
    (found,) = [one for one in made["findings"] if one["check"] == "vram-oom"]
    assert "3 times" in found["summary"] and found["severity"] == "warning"
    assert "18432 MiB" in found["evidence"][0]["text"]
