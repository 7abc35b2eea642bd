"""``forgedoctor reach`` as a person runs it, both sides, on the loopback of this machine."""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.forge_like import doctor, folder, free_port
from tests.reach.talk import waiting
from tests.standin.launcher import standin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT, uses launcher files of Linux and macOS")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(to: str, *words: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> dict[str, Any]:
    """The report of the client's side."""
    done = doctor("reach", "--to", to, "--format", "json", "--lang", "en", *words, env=env, cwd=cwd)
    made: dict[str, Any] = json.loads(done.stdout)
    assert made["exit_code"] == done.returncode and b"Traceback" not in done.stderr
    assert made["kind"] == "reach-client" and made["schema_version"] == "1.0"
    return made


def one(made: dict[str, Any]) -> dict[str, Any]:
    """The only attempt."""
    (attempt,) = made["attempts"]
    assert isinstance(attempt, dict)
    return attempt


def causes(attempt: dict[str, Any]) -> list[str]:
    return [cause["id"] for cause in attempt["causes"]]


def test_a_visit_from_the_machine_itself_is_shown_and_proves_nothing() -> None:
    port = free_port()
    with waiting("--port", str(port), "--host", "127.0.0.1") as reach:
        page = OPENER.open(f"http://127.0.0.1:{port}/", timeout=20).read().decode()
        made = reach.report(interrupt=True)
    assert "127.0.0.1" in page and "You got through" in page
    (visit,) = made["visits"]
    assert (visit["peer"], visit["origin"], visit["outside"], visit["what"]) == ("127.0.0.1", "self", False, "http")
    assert (made["verdict"], made["exit_code"], made["cancelled"]) == ("unproved", 130, True)
    assert "proves nothing" in reach.text and made["offered"] == []


def test_when_nobody_comes_it_says_what_may_be_in_the_way() -> None:
    with waiting("--port", "0", "--host", "0.0.0.0", "--for", "1") as reach:
        made = reach.report()
    assert (made["verdict"], made["exit_code"], made["visits"]) == ("nobody", 3, [])
    assert len(made["next"]) >= 2 and made["kind"] == "reach-listener" and made["schema_version"] == "1.0"
    for offered in made["offered"]:
        assert offered["address"] not in ("127.0.0.1", "::1") and str(made["port"]) in offered["url"]


def test_both_sides_know_each_other() -> None:
    port = free_port()
    with waiting("--port", str(port), "--host", "127.0.0.1") as reach:
        client = asked(f"127.0.0.1:{port}")
        made = reach.report(interrupt=True)
    attempt = one(client)
    assert (attempt["answered"], attempt["reply"]["you"], attempt["reply"]["origin"]) == ("reach", "127.0.0.1", "self")
    assert (client["verdict"], client["exit_code"], attempt["place"]) == ("reached", 0, "loopback")
    assert "nothing about other machines" in attempt["caveats"][0]
    assert [visit["what"] for visit in made["visits"]] == ["http"]  # one connection, and not two


def test_tls_to_the_test_page_is_understood_on_both_sides() -> None:
    port = free_port()
    with waiting("--port", str(port), "--host", "127.0.0.1") as reach:
        attempt = one(asked(f"https://127.0.0.1:{port}"))
        made = reach.report(interrupt=True)
    assert attempt["symptom"] == "tls-not-wanted" and causes(attempt) == ["tls-not-wanted"]
    assert "tls" in made["counts"]["what"] and "https://" in reach.text


def test_hostile_words_of_a_visitor_do_not_reach_the_terminal() -> None:
    port = free_port()
    with waiting("--port", str(port), "--host", "127.0.0.1") as reach:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
            peer.sendall(
                b"GET /\x1b[2J?password=sesame HTTP/1.1\r\nHost: \x1b]0;owned\x07evil\r\nUser-Agent: \x9b31m\r\n\r\n"
            )
            while peer.recv(4096):
                pass
        made = reach.report(interrupt=True)
    assert "evil" in reach.text and not any(ord(char) < 32 and char != "\n" for char in reach.text)
    assert "sesame" not in json.dumps(made) and "\\u001b" not in json.dumps(made)


def test_a_flood_of_scans_is_summarised() -> None:
    port = free_port()
    with waiting("--port", str(port), "--host", "127.0.0.1") as reach:
        for _ in range(600):
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
        assert b"<h1>" in OPENER.open(f"http://127.0.0.1:{port}/", timeout=20).read()
        made = reach.report(interrupt=True)
    assert made["counts"]["what"]["nothing"] == 600 and len(made["visits"]) <= 200
    assert len(reach.said) < 60


def test_a_port_that_is_taken_names_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        done = doctor("reach", "--format", "json", "--host", "0.0.0.0", "--port", port, "--lang", "en")
    made = json.loads(done.stdout)
    assert (made["verdict"], done.returncode) == ("taken", 1)
    assert f"pid {os.getpid()}" in made["summary"]


@pytest.mark.parametrize(("flags", "words", "verdict"), [
    ("--api", [], "closed"),
    ("--api", ["--host", "127.0.0.1", "--for", "1"], "nobody"),
    ("--api --listen --port FREE", ["--for", "1"], "nobody"),
    ("--nowebui --port FREE", ["--for", "1"], "nobody"),
])  # fmt: skip
def test_it_listens_where_the_launcher_files_say(tmp_path: Path, flags: str, words: list[str], verdict: str) -> None:
    port = str(free_port())
    forge = folder(tmp_path / "sd", user_sh=f'export COMMANDLINE_ARGS="{flags.replace("FREE", port)}"\n')
    if "--port" not in flags:
        words = [*words, "--port", port]
    done = doctor("reach", "--dir", str(forge), "--format", "json", "--lang", "en", *words)
    made = json.loads(done.stdout)
    assert (made["verdict"], made["port"]) == (verdict, int(port))
    if verdict == "closed":
        assert done.returncode == 1 and "--listen" in " ".join(made["next"])
    if "--nowebui" in flags:
        assert len(made["listening"]) == (2 if socket.has_ipv6 else 1)


def test_the_flags_that_follow_two_dashes_decide() -> None:
    port = free_port()
    done = doctor(
        "reach", "--for", "1", "--format", "json", "--", "--api", "--server-name", "127.0.0.2", "--port", str(port)
    )
    made = json.loads(done.stdout)
    assert (made["verdict"], made["host"], made["port"]) == ("closed", "127.0.0.2", port)


@pytest.mark.parametrize(("mode", "answered", "symptom", "status"), [
    ("ui-api", "forge", "open", 0),
    ("nowebui", "forge", "open", 0),
    ("ui-api-auth", "forge", "open", 0),
    ("ui-no-api", "forge", "open", 0),
    ("nginx-default", "nginx", "other-program", 1),
    ("nginx-502", "nginx", "gateway", 1),
    ("comfyui", "other", "other-program", 1),
    ("ollama", "other", "other-program", 1),
    ("accept-silent", "", "silent", 1),
    ("slow-drip", "", "silent", 1),
    ("close-without-bytes", "", "closed", 1),
    ("ssh-banner", "other", "not-http", 1),
    ("endless-header", "", "other-program", 1),
    ("endless-body-chunked", "other", "other-program", 1),
    ("gzip-bomb", "other", "other-program", 1),
    ("invalid-utf8", "other", "other-program", 1),
])  # fmt: skip
def test_the_client_s_side_tells_who_answers(mode: str, answered: str, symptom: str, status: int) -> None:
    with standin(mode) as url:
        made = asked(url, "--timeout", "0.7")
    attempt = one(made)
    assert (attempt["answered"], attempt["symptom"], made["exit_code"]) == (answered, symptom, status)
    assert status == 0 or attempt["causes"]


def test_a_tls_server_asked_without_and_a_plain_one_asked_with() -> None:
    with standin("tls") as url:
        assert one(asked(url))["answered"] == "forge"
        assert one(asked(url.replace("https:", "http:")))["symptom"] == "tls-wanted"
    with standin("ui-api") as url:
        assert one(asked(url.replace("http:", "https:")))["symptom"] == "tls-not-wanted"


def test_a_closed_port_and_an_unknown_name() -> None:
    refused = asked(f"127.0.0.1:{free_port()}")
    assert (one(refused)["symptom"], refused["exit_code"], refused["verdict"]) == ("refused", 1, "not-reached")
    unknown = asked("no-such-host.invalid:7860")
    assert causes(one(unknown)) == ["name-unknown"] and unknown["exit_code"] == 1


def test_an_own_address_that_answers_is_no_proof() -> None:
    """Only where this machine has an address besides its loopback."""
    with waiting("--port", "0", "--host", "0.0.0.0") as reach:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
            except OSError:
                pytest.skip("this machine is in no network")
            own = probe.getsockname()[0]
        port = next(line for line in reach.text.split() if line.startswith("0.0.0.0:")).rstrip(",").rpartition(":")[2]
        client = asked(f"{own}:{port}")
        made = reach.report(interrupt=True)
    assert (client["verdict"], client["exit_code"], one(client)["place"]) == ("itself", 3, "own")
    assert "proves nothing" in one(client)["caveats"][0]
    assert made["visits"][0]["origin"] == "self" and made["verdict"] == "unproved"


def test_every_address_of_a_name_is_tried(tmp_path: Path) -> None:
    """``localhost`` with a resolver that gives both families; without IPv6 here it is one attempt."""
    port = free_port()
    with waiting("--port", str(port), "--host", "127.0.0.1"):
        made = asked(f"localhost:{port}")
    assert made["exit_code"] == 0
    assert {attempt["address"] for attempt in made["attempts"]} <= {"127.0.0.1", "::1"}
    assert [attempt["answered"] for attempt in made["attempts"] if attempt["family"] == "ipv4"] == ["reach"]


def test_a_proxy_variable_is_said_and_not_followed() -> None:
    proxied = {"http_proxy": "http://user:sesame@127.0.0.1:9"}
    with standin("ui-api") as url:
        made = asked(url, env=proxied)
        past = asked(url, env={**proxied, "no_proxy": "127.0.0.1"})
    assert made["exit_code"] == 0 and "http_proxy" in made["notes"][0] and "sesame" not in json.dumps(made)
    assert past["notes"] == []


@pytest.mark.parametrize("words", [
    ["--to", "http://"], ["--to", "ftp://x:1"], ["--to", "h:99999"], ["--to", "x", "--host", "1.2.3.4"],
    ["--port", "70000"], ["--for", "0"], ["--for", "nan"], ["--timeout", "0"], ["--nothing"],
])  # fmt: skip
def test_wrong_use_is_one_sentence_and_status_2(words: list[str]) -> None:
    done = doctor("reach", *words)
    assert done.returncode == 2 and b"Traceback" not in done.stderr and not done.stdout


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "[::1%nowhere]", "999.1.1.1", "x" * 300])
def test_an_address_that_cannot_be_listened_on_is_one_sentence(host: str) -> None:
    done = doctor("reach", "--host", host, "--lang", "en")
    assert (
        done.returncode == 1
        and b"cannot be listened on" in b" ".join(done.stdout.split())
        and b"Traceback" not in done.stderr
    )


def test_no_qr_code_and_no_colour_into_a_pipe_and_ascii_where_asked() -> None:
    done = doctor("reach", "--for", "1", "--port", str(free_port()), "--host", "0.0.0.0", "--ascii", "--lang", "en")
    assert done.returncode == 3 and done.stdout.isascii() and b"\x1b" not in done.stdout
    assert b"####" not in done.stdout and "█" not in done.stdout.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_there_is_a_qr_code(tmp_path: Path) -> None:
    import pty
    import subprocess

    from tests.reach.talk import clean

    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "forgedoctor", "reach", "--for", "1", "--port", str(free_port()), "--host", "0.0.0.0", "--no-color"],
        stdin=subprocess.DEVNULL, stdout=side, stderr=subprocess.DEVNULL, env=clean({"PYTHONUTF8": "1"}), cwd=tmp_path,
    )  # fmt: skip
    os.close(side)
    shown = b""
    try:
        while chunk := os.read(main, 65536):
            shown += chunk
    except OSError:
        pass  # the other side is closed
    assert process.wait(20) == 3
    offered = "http://" in shown.decode().split("Ctrl-C")[0]
    assert ("█▀" in shown.decode()) == offered
