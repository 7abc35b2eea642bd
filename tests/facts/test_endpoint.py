"""What the doctor sees of a server that behaves: every mode of a Forge, as a client would see it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from forgedoctor.fact import Collector, Unavailable, collector_for
from forgedoctor.facts.endpoint import Endpoint, collect, collect_live
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.target import Target
from tests.standin.launcher import standin


def look(url: str, **asked: Any) -> Endpoint:
    return collect(Target(scope="endpoint", url=url, **asked))


def status(endpoint: Endpoint, name: str) -> int | None:
    probe = endpoint.probe(name)
    assert probe is not None
    return probe.status


def outcomes(endpoint: Endpoint) -> set[str]:
    return {probe.outcome for probe in endpoint.probes if probe.name != "connect"}


@pytest.fixture(scope="module")
def forge() -> Iterator[str]:
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


def test_a_forge_with_its_web_ui_and_api(forge: str) -> None:
    seen = look(forge)
    assert (seen.url, seen.peer, seen.addresses) == (forge, "127.0.0.1", ("127.0.0.1",))
    assert (seen.fork, seen.gradio, seen.openapi_title) == ("forge", "4.40.0", "FastAPI")
    assert seen.routes and "/sdapi/v1/txt2img" in seen.routes
    assert outcomes(seen) == {"answered"}
    assert [status(seen, name) for name in ("page", "ping", "progress", "nothing")] == [200, 200, 200, 404]
    progress = seen.probe("progress")
    assert progress and progress.json["progress"] == 0.0 and progress.headers["server"] == "uvicorn"
    assert seen.generated is None and not seen.credentials_sent


def test_what_was_seen_survives_a_bundle(forge: str) -> None:
    seen = look(forge)
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(seen)), Endpoint) == seen


def test_the_api_alone_has_neither_page_nor_ping() -> None:
    with standin("nowebui") as url:
        seen = look(url)
    assert [status(seen, name) for name in ("page", "ping", "config", "progress")] == [404, 404, 404, 200]
    assert (seen.fork, seen.gradio) == ("forge", "")


def test_a_web_ui_without_api_is_not_asked_for_its_list_of_routes() -> None:
    """It may be starting: the list would be made now, without the API, and kept (fastapi)."""
    with standin("ui-no-api") as url:
        seen = look(url)
    listing = seen.probe("openapi")
    assert seen.routes is None and listing and listing.outcome == "not-tried"
    assert status(seen, "progress") == 404 and status(seen, "ping") == 200


@pytest.mark.parametrize(
    ("credentials", "in_url", "progress"),
    [("", "", 401), ("user:secret", "", 200), ("", "user:secret@", 200), ("user:wrong", "", 401)],
)
def test_a_password_is_used_but_never_shown(guarded: str, credentials: str, in_url: str, progress: int) -> None:
    seen = look(guarded.replace("://", f"://{in_url}"), credentials=credentials)
    assert status(seen, "progress") == progress
    assert seen.credentials_sent == bool(credentials or in_url)
    assert seen.url == guarded
    shown = msgspec.json.encode(seen)
    assert b"secret" not in shown and b"dXNlcjpzZWNyZXQ" not in shown


def test_with_a_password_it_is_also_seen_whether_one_is_needed(guarded: str, forge: str) -> None:
    assert status(look(guarded, credentials="user:secret"), "anonymous") == 401
    assert status(look(forge, credentials="user:secret"), "anonymous") == 200


def test_a_prefix_that_the_server_does_not_know_is_told_from_a_dead_api() -> None:
    with standin("ui-subpath") as url:
        seen = look(f"{url}/forge")
    assert status(seen, "progress") == 404 and status(seen, "progress-root") == 200
    progress = seen.probe("progress")
    assert progress and progress.path.startswith("/forge/sdapi/v1/progress")


def test_forty_waiting_images_leave_only_some_routes_answering() -> None:
    with standin("queue-full") as url:
        seen = look(url, timeout=0.7)
    progress, openapi = seen.probe("progress"), seen.probe("openapi")
    assert progress and (progress.outcome, progress.stage) == ("timeout", "headers")
    assert openapi and openapi.outcome == "answered"
    assert seen.fork == "forge"


def test_a_self_signed_certificate_is_answered_over_and_reported(over_tls: str) -> None:
    seen = look(over_tls)
    assert status(seen, "progress") == 200
    verify = seen.probe("verify")
    assert verify and verify.outcome == "tls-error" and verify.json["reason"] == "self-signed"
    assert verify.json["tls"].startswith("TLS") and "localhost" in verify.json["names"] and verify.json["until"]


def test_plain_http_to_a_tls_port_is_told_from_a_crash(over_tls: str) -> None:
    seen = look(over_tls.replace("https", "http"))
    assert "answered" not in {probe.outcome for probe in seen.probes if probe.name not in ("connect", "tls")}
    tls = seen.probe("tls")
    assert tls and tls.outcome == "answered" and tls.json["reason"] == "self-signed"


def test_https_to_a_plain_port_is_told_from_a_crash(forge: str) -> None:
    seen = look(forge.replace("http", "https"))
    progress, plain = seen.probe("progress"), seen.probe("plain")
    assert progress and (progress.outcome, progress.stage) == ("tls-error", "tls")
    assert plain and plain.status == 200


def test_one_image_is_made_only_when_asked_for(forge: str) -> None:
    made = look(forge, generate=True).generated
    assert made and made.ok and made.status == 200 and made.seconds > 0


def test_an_image_that_fails_carries_the_servers_own_words() -> None:
    with standin("ui-api", fail="no-model") as url:
        made = look(url, generate=True).generated
    assert made and not made.ok and made.status == 500 and "model" in made.detail


def test_a_closed_port_is_refused_and_nothing_more_is_tried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        seen = look(f"http://127.0.0.1:{taken.getsockname()[1]}", credentials="user:secret", generate=True)
    connect = seen.probe("connect")
    assert connect and (connect.outcome, connect.stage) == ("refused", "connect")
    assert outcomes(seen) == {"not-tried"}
    assert seen.peer == "" and seen.generated is None and not seen.credentials_sent


def test_a_name_that_does_not_resolve() -> None:
    connect = look("http://no-such-host.invalid:7860").probe("connect")
    assert connect and connect.outcome == "unresolvable" and connect.detail


def test_the_address_that_answers_is_used_and_the_other_reported(forge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(forge.rpartition(":")[2])
    real = socket.getaddrinfo

    def two_addresses(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "two.example":
            return real(host, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.0.0.9", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
    seen = look(f"http://two.example:{port}")
    assert (seen.addresses, seen.peer) == (("127.0.0.9", "127.0.0.1"), "127.0.0.1")
    assert [probe.outcome for probe in seen.named("connect")] == ["refused", "answered"]
    connect = seen.probe("connect")
    assert connect and connect.outcome == "answered"
    assert status(seen, "progress") == 200


def test_a_proxy_setting_does_not_reroute_the_probe(forge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "[::1]")
    assert status(look(forge), "progress") == 200


def test_text_that_is_no_url_is_one_sentence() -> None:
    with pytest.raises(Unavailable) as caught:
        look("http://h:abc")
    assert "'abc'" in str(caught.value.missing.reason)


class Notebook(BaseHTTPRequestHandler):
    """Answers 200 to all and writes down what it was asked."""

    asked: list[tuple[str, str, dict[str, str]]]

    def answer(self) -> None:
        type(self).asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def notebook() -> Iterator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    handler = type("Handler", (Notebook,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler.asked
        server.shutdown()


@pytest.mark.parametrize("generate", [False, True])
def test_nothing_is_asked_that_could_change_or_leak_something(notebook: Any, generate: bool) -> None:
    url, asked = notebook
    look(url, generate=generate)
    assert [(method, path) for method, path, _ in asked if method not in ("GET", "OPTIONS")] == (
        [("POST", "/sdapi/v1/txt2img")] if generate else []
    )
    costly = ("cmd-flags", "options", "sysinfo", "startup-events", "extensions", "token", "queue")
    assert not [path for _, path, _ in asked if any(word in path for word in costly)]
    assert {headers["accept-encoding"] for _, _, headers in asked} == {"identity"}
    assert {headers["host"] for _, _, headers in asked} == {url.removeprefix("http://")}


def test_a_preflight_is_asked_as_a_browser_asks_it(notebook: Any) -> None:
    url, asked = notebook
    look(url, credentials="user:secret")
    (preflight,) = [headers for method, _, headers in asked if method == "OPTIONS"]
    assert preflight["origin"].endswith(".invalid") and preflight["access-control-request-method"] == "POST"
    assert "authorization" not in preflight


def running(*ports: tuple[str, int]) -> Processes:
    return Processes(forges=(ForgeProcess(pid=1, started=1000.0, ports=ports),))


def launch(host: str, port: int | None, walk: tuple[int, int] | None = None, tls: bool = False) -> Any:
    return SimpleNamespace(effective=SimpleNamespace(host=host, port=port, port_range=walk, listens=None), tls=tls)


def test_on_this_machine_the_port_that_forge_listens_on_is_asked(forge: str) -> None:
    port = int(forge.rpartition(":")[2])
    target = Target(scope="live")
    seen = collect_live(target, None, running(("::", port), ("0.0.0.0", port)))
    assert (seen.url, seen.fork, seen.since) == (forge, "forge", 1000.0)


@pytest.mark.parametrize(
    ("plan", "url"),
    [
        (launch("0.0.0.0", 1), "http://127.0.0.1:1"),
        (launch("*", 1), "http://127.0.0.1:1"),
        (launch("::", 1), "http://[::1]:1"),
        (launch("127.0.0.1", None, (1, 100)), "http://127.0.0.1:1"),
        (launch("localhost", 1, tls=True), "https://localhost:1"),
    ],
)
def test_a_forge_without_a_visible_port_is_asked_where_its_flags_say(plan: Any, url: str) -> None:
    assert collect_live(Target(scope="live"), plan, running()).url == url


def test_of_several_ports_the_one_it_was_told_is_asked() -> None:
    processes = running(("127.0.0.1", 1), ("127.0.0.1", 2))
    assert collect_live(Target(scope="live"), launch("127.0.0.1", 2), processes).port == 2


def test_where_no_forge_runs_nothing_is_asked() -> None:
    with pytest.raises(Unavailable) as caught:
        collect_live(Target(scope="live"), launch("127.0.0.1", 1), Processes())
    assert "--url" in str(caught.value.missing.settle)


def test_a_url_that_was_given_wins(forge: str) -> None:
    assert collect_live(Target(scope="live", url=forge), None, running(("127.0.0.1", 1))).url == forge


def test_it_serves_a_url_and_this_machine_but_never_looks_before_a_launch() -> None:
    assert all(isinstance(collector_for(Endpoint, scope), Collector) for scope in ("endpoint", "live"))
    assert not any(collector_for(Endpoint, scope) for scope in ("preflight", "args", "text"))


def test_looking_at_a_forge_that_starts_does_it_no_harm() -> None:
    with standin("starting", until=2.0) as url:
        first = look(url)
        for _ in range(100):
            later = look(url)
            if status(later, "progress") == 200:
                break
            time.sleep(0.1)
    assert status(first, "progress") == 404
    assert later.routes and "/sdapi/v1/txt2img" in later.routes
