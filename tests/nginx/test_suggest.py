"""The server block that the doctor suggests: nginx takes it, everything gets through, and no check finds fault with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from forgedoctor import api, catalogue
from forgedoctor.case import Case
from forgedoctor.facts import Launch
from forgedoctor.facts.nginx import examined, ports_of
from forgedoctor.forge.predict import predict
from forgedoctor.proxies import statements
from forgedoctor.target import Target
from tests.forge_like import doctor
from tests.nginx.asking import IMAGE, client, heard, named, peer
from tests.nginx.real import checked_by_nginx, nginx, real, written
from tests.standin.launcher import standin

LAUNCHES = [
    ("forge", "ui-api", ["--api"], ""),
    ("forge", "ui-subpath", ["--api", "--subpath", "forge"], "/forge"),
    ("forge", "nowebui", ["--nowebui"], ""),
    ("forge", "ui-gradio-auth", ["--api", "--gradio-auth", "user:secret"], ""),
    ("reforge", "ui-api-auth", ["--api", "--api-auth", "user:secret"], ""),
]


def suggested(*words: str, fork: str = "forge") -> str:
    done = doctor("nginx", "--suggest", "--fork", fork, "--lang", "en", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.real
@real[1]
@pytest.mark.parametrize(("fork", "mode", "flags", "prefix"), LAUNCHES)
def test_everything_gets_through(fork: str, mode: str, flags: list[str], prefix: str, tmp_path: Path) -> None:
    with standin(mode, fork=fork, seconds=1.0) as forge:
        port = str(httpx.URL(forge).port)
        block = suggested("--", *flags, "--port", port, fork=fork)
        assert "secret" not in block
        here = block.replace("listen 80;", "listen 127.0.0.1:PORT;").replace("Host $host;", "Host $http_host;")
        with nginx(tmp_path, here) as (front, config):
            url, login = front + prefix, ("user", "secret") if mode == "ui-api-auth" else None
            with client(auth=login) as one:
                assert one.get(f"{url}/sdapi/v1/progress").status_code == 200
                sent = one.post(f"{url}/sdapi/v1/img2img", json=IMAGE)
                assert sent.status_code == 200 and sent.json()["images"]
                if mode == "ui-gradio-auth":
                    assert f'"{front}"' in one.get(f"{url}/").text, "the page names nginx's address"
                if prefix:
                    assert one.get(url).headers["location"].endswith(f"{prefix}/")
            left = named(config, forge, *flags, fork=fork)
            assert set(left) <= {"nginx-open-to-all", "nginx-bypassed"}, left
    if mode != "nowebui":
        passes_the_queue(here, tmp_path / "queue", port, prefix, websocket=fork == "reforge")


def passes_the_queue(block: str, place: Path, port: str, prefix: str, *, websocket: bool) -> None:
    """Events come as they are sent; a websocket is taken where gradio 3 needs one."""
    with peer() as url, nginx(place, block.replace(f":{port}", f":{httpx.URL(url).port}")) as (front, _):
        assert heard(front + prefix) == "heard"
        headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
        with client() as one, one.stream("GET", f"{front}{prefix}/queue/join", headers=headers) as answer:
            assert answer.status_code == (101 if websocket else 404)


@pytest.mark.real
@real[1]
def test_the_block_for_https_is_valid(tmp_path: Path) -> None:
    block = suggested("--tls", "--server-name", "sd.example.org", "--", "--api")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sd.example.org"]
    try:
        subprocess.run([*made, "-keyout", tmp_path / "key", "-out", tmp_path / "cert"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    live = "/etc/letsencrypt/live/sd.example.org"
    assert "server_name sd.example.org;" in block and f"{live}/privkey.pem" in block
    here = block.replace(f"{live}/fullchain.pem", str(tmp_path / "cert"))
    here = here.replace(f"{live}/privkey.pem", str(tmp_path / "key"))
    assert (done := checked_by_nginx(written(tmp_path, here))).returncode == 0, done.stderr


@pytest.mark.parametrize("fork", ["forge", "neo", "reforge", "classic", "a1111"])
@pytest.mark.parametrize(
    "flags",
    [
        ["--api"],
        ["--nowebui"],
        ["--api", "--port", "9000", "--subpath", "/sd/"],
        ["--listen", "--api-auth", "u:p", "--api"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("more", [[], ["--tls", "--server-name", "sd.example.org"]], ids=["http", "https"])
def test_no_check_finds_fault_with_it(fork: str, flags: list[str], more: list[str]) -> None:
    from click.testing import CliRunner

    from forgedoctor.cli.nginx import command

    done = CliRunner().invoke(command, ["--suggest", "--fork", fork, "--lang", "en", *more, "--", *flags])
    assert done.exit_code == 0, done.output
    plan = predict(fork, flags)
    launch = Launch(source="test", origin="test", effective=plan, argv=tuple(flags))
    found = examined(statements.sections(f"events {{}}\nhttp {{\n{done.stdout}\n}}", "nginx.conf"), ports_of(launch))
    assert found.locations and not found.problems
    made = api.examine(Target(scope="text"), case=Case(found, launch), select=["nginx"])
    assert {one.check for one in made.findings} | {one.check for one in made.advice} <= {
        "nginx-open-to-all",
        "nginx-bypassed",
    }


@pytest.mark.parametrize(
    "words",
    [
        ["--server-name", "a; } evil {", "--", "--api"],
        ["--", "--api", "--subpath", "x; return 1"],
        ["--", "--api", "--port", "70000"],
        ["--", "--apii"],
        ["/etc/nginx/nginx.conf", "--", "--api"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_one_sentence(words: list[str]) -> None:
    done = doctor("nginx", "--suggest", *words)
    assert done.returncode == 2 and done.stdout == b""
    assert b"Error: " in done.stderr and b"Traceback" not in done.stderr


def test_the_pages_name_their_checks() -> None:
    known = {one.id: one for one in catalogue.load().checks}
    for id in ("proxy-limits", "proxy-websocket", "proxy-wrong-public-url"):
        assert known[id].group == "nginx" and "Source:" in known[id].page
