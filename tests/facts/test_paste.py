"""What can be recognised in a pasted text, in the shapes in which people paste it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.facts import transcript
from forgedoctor.facts.launch import Launch, pasted
from forgedoctor.facts.transcript import Exchange, Transcript
from forgedoctor.target import Target


def read(text: str) -> Transcript:
    return transcript.collect(Target(scope="text", texts=(("", text),)))


def exchanges(text: str) -> tuple[Exchange, ...]:
    return transcript.exchanges(read(text)).exchanges


def launch(text: str) -> Launch:
    return pasted(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "Launching Web UI with arguments: --api --port 7999",
        "\x1b[32mLaunching Web UI with arguments: --api --port 7999\x1b[0m\r\n",
        "webui-1  | Launching Web UI with arguments: --api --port 7999",
        "python launch.py --api --port 7999",
        "$ ./webui.sh --api --port 7999",
        "Command line: --api --port 7999",
        "--api --port 7999",
        'export COMMANDLINE_ARGS="--api --port 7999"',
        "set COMMANDLINE_ARGS=--api --port 7999",
        "Command line: set COMMANDLINE_ARGS=--api --port 7999",
        "set COMMANDLINE_ARGS=--api ^\n--port 7999\ncall webui.bat",
        "here is my start:\n\nLaunching API server with arguments: --nowebui\n(later)\nLaunching Web UI with arguments: --api --port 7999",
    ],
)
def test_a_command_line_in_any_shape(text: str) -> None:
    found = launch(text).effective
    assert (found.api, found.port) == (True, 7999)


def test_quotes_round_the_whole_are_part_of_what_was_given() -> None:
    assert launch('Command line: "--listen --port 7861"').effective.unknown[0].token == "--listen --port 7861"


@pytest.mark.parametrize(
    ("text", "method", "path", "status"),
    [
        ("Request: POST /sdapi/v1/txt2img -> 404", "POST", "/sdapi/v1/txt2img", 404),
        (
            'INFO:     127.0.0.1:5000 - "GET /sdapi/v1/progress?x=1 HTTP/1.1" 401 Unauthorized',
            "GET",
            "/sdapi/v1/progress",
            401,
        ),
        ("> GET /internal/ping HTTP/1.1\n> Host: x\n\n< HTTP/1.1 200 OK\n<\n{}", "GET", "/internal/ping", 200),
        (
            "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: http://h:7860/sdapi/v1/txt2img",
            "POST",
            "/sdapi/v1/txt2img",
            404,
        ),
        (
            "httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'https://h/sdapi/v1/samplers'",
            "GET",
            "/sdapi/v1/samplers",
            401,
        ),
        (
            "API 2024-01-01 10:00:00.1 422 http/1.1 POST /sdapi/v1/img2img 10.0.0.2 0.1",
            "POST",
            "/sdapi/v1/img2img",
            422,
        ),
    ],
)
def test_an_exchange_in_any_shape(text: str, method: str, path: str, status: int) -> None:
    found = exchanges(text)[0]
    assert (found.method, found.path, found.status) == (method, path, status)


def test_the_body_belongs_to_the_answer_before_it() -> None:
    found = exchanges('Request: POST /sdapi/v1/txt2img -> 404\n{"detail": "Sampler not found"}\n\nother text')[0]
    assert found.detail == "Sampler not found"


@pytest.mark.parametrize(
    ("text", "error", "url"),
    [
        ("curl: (7) Failed to connect to 192.168.1.5 port 7860: Connection refused", "refused", "192.168.1.5:7860"),
        ("curl: (28) Connection timed out after 3001 ms", "timeout", ""),
        ("Error: connect ECONNREFUSED ::1:7860", "refused", "::1:7860"),
        ("ConnectionRefusedError: [WinError 10061] x", "refused", ""),
        ("curl: (52) Empty reply from server", "closed", ""),
    ],
)
def test_a_failed_connection(text: str, error: str, url: str) -> None:
    found = exchanges(text)[0]
    assert (found.error, found.url) == (error, url)


@pytest.mark.parametrize(
    ("text", "system", "container"),
    [
        ("OS: windows\n", "windows", False),
        ("OS: docker\n", "linux", True),
        ('  File "C:\\sd\\launch.py", line 3', "windows", False),
        ('  File "/home/x/sd/launch.py", line 3', "linux", False),
        ('  File "/Users/x/sd/launch.py", line 3', "macos", False),
        ("nothing of the kind", "", False),
    ],
)
def test_the_system(text: str, system: str, container: bool) -> None:
    found = read(text)
    assert (found.system, found.container) == (system, container)


@pytest.mark.parametrize(
    ("version", "fork"),
    [
        ("f2.0.1v1.10.1-previous-669-gdfdcbab6", "forge"),
        ("f1.0.0v2-v1.10.1RC-latest", "reforge"),
        ("classic", "classic"),
        ("neo", "neo"),
        ("v1.10.1", "a1111"),
        ("9.9", ""),
    ],
)
def test_the_fork_by_its_version_line(version: str, fork: str) -> None:
    assert read(f"Version: {version}\n").fork == fork


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    if text.strip():
        try:
            found = read(text)
            transcript._paste_http.exchanges(found.lines)
        except transcript.Unavailable:
            pass  # blanks of another alphabet: nothing to read, and said so
