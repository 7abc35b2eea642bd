"""Where a launch listens, and what is accepted yet brings no full server up: run or recorded with the real programs."""

from __future__ import annotations

import shlex

import pytest

from forgedoctor.forge.flags import FORKS
from forgedoctor.forge.predict import EffectiveLaunch, predict

GRADIO_3 = ("reforge", "classic", "a1111")


def run(fork: str, line: str, **env: str) -> EffectiveLaunch:
    return predict(fork, shlex.split(line), env)


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    ("line", "host", "port", "ports", "listens"),
    [
        ("", "127.0.0.1", None, (7860, 7959), None),
        ("--api", "127.0.0.1", None, (7860, 7959), None),
        ("--port 8000", "127.0.0.1", 8000, None, 8000),
        ("--listen", "0.0.0.0", None, (7860, 7959), None),
        ("--listen --server-name 10.0.0.2 --port 1", "10.0.0.2", 1, None, 1),
        ("--server-name '' --listen", "0.0.0.0", None, (7860, 7959), None),
        ("--server-name [::1] --port 5", "::1", 5, None, 5),
        ("--server-name my_box.lan --port 5", "my_box.lan", 5, None, 5),
        ("--share --port 5", "127.0.0.1", 5, None, 5),
        ("--nowebui", "*", 7861, None, 7861),
        ("--nowebui --api --port 9", "*", 9, None, 9),
        ("--nowebui --listen", "0.0.0.0", 7861, None, 7861),
        ("--nowebui --server-name 127.0.0.1", "127.0.0.1", 7861, None, 7861),
        ("--nowebui --server-name ::", "::", 7861, None, 7861),
        ("--nowebui --port 0", "*", 7861, None, 7861),
        ("--nowebui --port 70000", "*", 70000, None, 4464),
        ("--nowebui --port 70000 --server-name localhost", "localhost", 70000, None, 4464),
        ("--nowebui --port 65536", "*", 65536, None, None),
    ],
)
def test_host_and_port(
    fork: str, line: str, host: str, port: int | None, ports: tuple[int, int] | None, listens: int | None
) -> None:
    launch = run(fork, line)
    assert launch.exit is None and launch.fails is None
    assert (launch.host, launch.port, launch.port_range, launch.listens) == (host, port, ports, listens)


@pytest.mark.parametrize("fork", FORKS)
def test_the_mode_is_chosen_by_the_full_text(fork: str) -> None:
    assert run(fork, "--nowebui").mode == "api-only" and run(fork, "--nowebui").api
    short = run(fork, "--noweb")
    assert short.options == {"nowebui": True}
    assert short.mode == "webui" and not short.api and short.port_range
    hidden = run(fork, "-- --nowebui", IGNORE_CMD_ARGS_ERRORS="1")
    assert hidden.mode == "api-only" and hidden.options == {}


@pytest.mark.parametrize("fork", FORKS)
def test_gradios_variables_count_for_the_page_only(fork: str) -> None:
    env = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": "9000", "GRADIO_NUM_PORTS": "10"}
    page = run(fork, "--api", **env)
    assert (page.host, page.port, page.port_range) == ("0.0.0.0", None, (9000, 9009))
    assert page.sources["port"] == "GRADIO_SERVER_PORT" and page.sources["server_name"] == "GRADIO_SERVER_NAME"
    told = run(fork, "--port 8000 --server-name 10.0.0.2", **env)
    assert (told.host, told.port, told.port_range, told.listens) == ("10.0.0.2", 8000, None, 8000)
    assert told.sources == {"port": "command line", "server_name": "command line"}
    assert run(fork, "--listen", **env | {"GRADIO_SERVER_NAME": "10.0.0.2"}).host == "0.0.0.0"
    alone = run(fork, "--nowebui", **env)
    assert (alone.host, alone.port, alone.sources) == ("*", 7861, {"nowebui": "command line"})


@pytest.mark.parametrize("fork", ["forge", "reforge", "classic", "neo"])
@pytest.mark.parametrize(
    ("line", "kind", "listens"),
    [
        ("--port 70000", "port-out-of-range", None),
        ("--port -1", "port-out-of-range", None),
        ("--port 0", "port-zero", None),
        ("--gradio-auth user --port 5", "gradio-auth-no-colon", None),
        ("--gradio-auth a:b,c", "gradio-auth-no-colon", None),
        ("--tls-keyfile k.pem", "tls-keyfile-without-certfile", None),
        ("--tls-certfile c.pem", "tls-certfile-without-keyfile", None),
        ("--server-name http://0.0.0.0 --port 5", "server-name-is-url", None),
        ("--server-name 0.0.0.0:7860 --port 5", "server-name-has-port", None),
        ("--server-name localhost:7860", "server-name-has-port", None),
        ("--server-name [::1]:7860", "server-name-has-port", None),
        ("--server-name '10.0.0.1, 10.0.0.2'", "server-name-invalid", None),
        ("--server-name :: --port 5", "server-name-ipv6-bare", 5),
        ("--api --api-auth user --port 5", "api-auth-no-colon", 5),
        ("--api --api-auth a:b, --port 5", "api-auth-no-colon", 5),
        ("--api --api-auth a:b:c --port 5", "api-auth-extra-colon", 5),
        ("--nowebui --api-auth user", "api-auth-no-colon", None),
        ("--nowebui --api-auth a:b,c:d:e", "api-auth-extra-colon", None),
        ("--nowebui --tls-keyfile k.pem", "tls-keyfile-without-certfile", None),
        ("--nowebui --server-name 0.0.0.0:1", "server-name-has-port", None),
        ("--nowebui --server-name [::1]", "server-name-brackets", None),
        ("--nowebui --listen --port 70000", "port-out-of-range", None),
        ("--nowebui --port -1", "port-out-of-range", None),
    ],
)
def test_starts_without_a_full_server_and_lives_on(fork: str, line: str, kind: str, listens: int | None) -> None:
    launch = run(fork, line)
    assert launch.exit is None
    assert launch.fails and (launch.fails.kind, launch.fails.process_stays) == (kind, True)
    assert launch.listens == listens


def test_in_a1111_the_process_ends_with_its_server() -> None:
    launch = run("a1111", "--api --api-auth user --port 5")
    assert launch.fails and not launch.fails.process_stays and launch.listens is None


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    "line",
    [
        "--api-auth user",
        "--nowebui --gradio-auth user",
        "--api --api-auth a:b,c:d",
        "--gradio-auth a:b:c",
        "--gradio-auth ' a:b , '",
        "--tls-keyfile k --tls-certfile c",
        "--nowebui --tls-certfile both.pem",
    ],
)
def test_what_looks_alike_and_does_come_up(fork: str, line: str) -> None:
    launch = run(fork, line)
    assert launch.exit is None and launch.fails is None


@pytest.mark.parametrize("fork", ["forge", "neo"])
def test_gradio_4_reads_its_port_variable_when_it_starts_the_page(fork: str) -> None:
    for name in ("GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"):
        launch = run(fork, "--port 8000", **{name: "abc"})
        assert launch.exit is None and launch.fails and launch.fails.kind == "gradio-port-not-a-number"
        assert run(fork, "--nowebui", **{name: "abc"}).fails is None


@pytest.mark.parametrize("fork", GRADIO_3)
def test_gradio_3_reads_its_port_variable_when_it_is_imported(fork: str) -> None:
    for line in ("", "--port 8000", "--nowebui"):
        end = run(fork, line, GRADIO_SERVER_PORT="").exit
        assert end and (end.code, end.stage) == (1, "late") and "GRADIO_SERVER_PORT" in end.message
    assert run(fork, "--exit", GRADIO_SERVER_PORT="x").exit.code == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({"GRADIO_NUM_PORTS": "0"}, "gradio-no-ports"),
        ({"GRADIO_SERVER_PORT": "70000"}, "port-out-of-range"),
        ({"GRADIO_SERVER_PORT": "0"}, "port-zero"),
        ({"GRADIO_SERVER_NAME": ""}, "gradio-host-empty"),
        ({"GRADIO_SERVER_NAME": "::"}, "gradio-host-not-ipv4"),
        ({"GRADIO_SERVER_NAME": "http://x"}, "gradio-host-not-ipv4"),
    ],
)
def test_gradios_variables_can_break_the_page(env: dict[str, str], kind: str) -> None:
    launch = predict("forge", ["--api"], env)
    assert launch.fails and launch.fails.kind == kind


def test_an_exit_leaves_nothing_listening() -> None:
    launch = run("forge", "--port 8000 --what")
    assert launch.exit and launch.listens is None and launch.fails is None
    assert launch.port == 8000


@pytest.mark.parametrize(
    ("fork", "line", "flags"),
    [
        ("forge", "--medvram --lowvram --api", ["--medvram", "--lowvram"]),
        ("reforge", "--medvram", ["--medvram"]),
        ("a1111", "--medvram --lowvram --opt-sdp-attention", []),
        ("neo", "--lowvram", []),
        ("neo", "--normalvram", ["--normalvram"]),
        ("forge", "--noweb", ["--noweb"]),
        ("forge", "--noweb --nowebui", []),
        ("forge", "--xform", []),
        ("classic", "--xform", ["--xform"]),
        ("a1111", "--xformers", []),
        ("forge", "--listen --server-name h", ["--listen"]),
        ("forge", "--api --cors-allow-origins '*'", ["--cors-allow-origins"]),
        ("a1111", "--api --cors-allow-origins '*'", []),
        ("forge", "--nowebui --cors-allow-origins '*'", []),
        ("forge", "--nowebui --gradio-auth a:b --share", ["--gradio-auth", "--share"]),
        ("forge", "--timeout-keep-alive 5", ["--timeout-keep-alive"]),
        ("forge", "--nowebui --timeout-keep-alive 5", []),
        ("forge", "--api --api-log", ["--api-log"]),
        ("reforge", "--api --api-log", []),
        ("classic", "--api-auth a:b", ["--api-auth"]),
        ("classic", "--api --api-auth a:b", []),
        ("forge", "--use-cp all", ["--use-cp"]),
        ("a1111", "--skip-load-model-at-start", ["--skip-load-model-at-start"]),
        ("a1111", "--skip-load-model-at-start --nowebui", []),
    ],
)
def test_flags_that_do_nothing(fork: str, line: str, flags: list[str]) -> None:
    found = run(fork, line).ignored
    assert [one.flag for one in found] == flags
    assert all(one.why and not one.why.endswith(".") for one in found)
