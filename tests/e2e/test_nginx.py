"""nginx in front of Forge, for real: each broken configuration shows the fault that the doctor names, and what it
suggests shows none of them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.forge_like import ROOT, SERVE, folder, free_port, report, running
from tests.nginx.asking import IMAGE, ask, client, heard, named, peer
from tests.nginx.real import NGINX, checked_by_nginx, mended, nginx, real, written
from tests.standin.launcher import standin

pytestmark = real
ANY_GOOD = "proxy_read_timeout 600s; client_max_body_size 100m; proxy_buffering off; proxy_set_header Host $http_host;"


def site(inside: str, before: str = "") -> str:
    return f"{before}\nserver {{\n    listen 127.0.0.1:PORT;\n    location / {{\n{inside}\n    }}\n}}\n"


@pytest.fixture(scope="module")
def forge() -> Iterator[str]:
    with standin("ui-api") as url:
        yield url


@pytest.fixture
def slow() -> Iterator[str]:
    with standin("ui-api", seconds=6.0) as url:
        yield url


# -- limits --------------------------------------------------------------------------------------------------------


def test_an_image_is_refused_and_gets_through_with_the_line_of_the_fix(forge: str, tmp_path: Path) -> None:
    wrong = site(f"        proxy_pass {forge};\n        proxy_read_timeout 600s;")
    with nginx(tmp_path / "wrong", wrong) as (url, config):
        answer = ask("POST", f"{url}/sdapi/v1/img2img", json=IMAGE)
        assert answer.status_code == 413 and "<center>nginx" in answer.text
        found = report("nginx", str(config), "--", "--api", "--port", str(httpx.URL(forge).port))
    first = next(one for one in found["findings"] if one["check"] == "proxy-limits")
    assert first["severity"] == "error" and str(config) in first["evidence"][0]["source"]
    with nginx(tmp_path / "right", mended(config, first["fixes"][0])) as (url, config):
        assert ask("POST", f"{url}/sdapi/v1/img2img", json=IMAGE).status_code == 200
        assert "proxy-limits" not in named(config, forge)


def test_a_long_job_is_cut_and_goes_on(slow: str, tmp_path: Path) -> None:
    with nginx(tmp_path, site(f"proxy_pass {slow}; client_max_body_size 100m; proxy_read_timeout 1s;")) as (
        url,
        config,
    ):
        answer = ask("POST", f"{url}/sdapi/v1/txt2img", json={"steps": 5})
        assert answer.status_code == 504 and "<center>nginx" in answer.text
        assert ask("GET", f"{slow}/sdapi/v1/progress").json()["state"]["job_count"] == 1, "the job was to run on"
        assert named(config, slow)["proxy-limits"] == "error"
        log = (tmp_path / "error.log").read_bytes()
    made = report("read", "--lang", "en", "-", stdin=log)
    assert made["findings"][0]["check"] == "proxy-limits"
    assert "proxy_read_timeout" in made["findings"][0]["summary"]


# -- the page's queue ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "how"), [("", "alone"), ("proxy_buffering off;", "heard")])
def test_events_come_late_unless_buffering_is_off(line: str, how: str, tmp_path: Path) -> None:
    with peer() as url, nginx(tmp_path, site(f"proxy_pass {url}; {line}")) as (front, config):
        assert heard(front) == how
        assert ("proxy-websocket" in named(config, url)) == (how == "alone")


UPGRADE = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'


@pytest.mark.parametrize(
    ("lines", "status"),
    [("", 404), (UPGRADE, 404), ("proxy_http_version 1.1;", 404), (f"proxy_http_version 1.1; {UPGRADE}", 101)],
)
def test_a_websocket_needs_all_three_lines(lines: str, status: int, tmp_path: Path) -> None:
    with peer() as url, nginx(tmp_path, site(f"proxy_pass {url}; {lines}")) as (front, config):
        wanted = {"Connection": "Upgrade", "Upgrade": "websocket"}
        with client() as one, one.stream("GET", f"{front}/queue/join", headers=wanted) as answer:
            assert answer.status_code == status
        assert ("proxy-websocket" in named(config, url, fork="reforge")) == (status == 404)


def test_a_header_that_is_set_wrongly_is_changed_where_it_stands(tmp_path: Path) -> None:
    with peer() as url:
        inside = site(f"        proxy_pass {url};\n        proxy_set_header Connection close;")
        with nginx(tmp_path, inside) as (_, config):
            port = str(httpx.URL(url).port)
            made = report("nginx", str(config), "-s", "proxy-websocket", "--fork", "a1111", "--", "--port", port)
        with nginx(tmp_path / "right", mended(config, made["findings"][0]["fixes"][0])) as (front, _):
            wanted = {"Connection": "Upgrade", "Upgrade": "websocket"}
            with client() as one, one.stream("GET", f"{front}/queue/join", headers=wanted) as answer:
                assert answer.status_code == 101


# -- paths -----------------------------------------------------------------------------------------------------------

PATHS = [
    ("/x", "/", "/x/sdapi/v1/progress", 404),
    ("/x/", "", "/x/sdapi/v1/progress", 404),
    ("/x/", "/y", "/x/sdapi/v1/progress", 404),
    ("/sdapi/", "/", "/sdapi/v1/progress", 404),
    ("/sdapi", "/", "/sdapi/v1/progress", 404),
    ("/x/", "/", "/x/sdapi/v1/progress", 200),
    ("/", "/", "/sdapi/v1/progress", 200),
    ("/", "", "/sdapi/v1/progress", 200),
    ("/sdapi/", "", "/sdapi/v1/progress", 200),
    ("/sdapi/", "/sdapi/", "/sdapi/v1/progress", 200),
    ("= /sdapi/v1/progress", "", "/sdapi/v1/progress", 200),
]


@pytest.mark.parametrize(("location", "uri", "asked", "status"), PATHS)
def test_which_paths_reach_forge(forge: str, location: str, uri: str, asked: str, status: int, tmp_path: Path) -> None:
    inside = f"server {{ listen 127.0.0.1:PORT;\n location {location} {{\n proxy_pass {forge}{uri};\n }}\n}}"
    with nginx(tmp_path, inside) as (url, config):
        answer = ask("GET", url + asked)
        assert answer.status_code == status
        if status == 404:
            assert answer.json() == {"detail": "Not Found"}, "Forge's own words, through nginx"
        port = str(httpx.URL(forge).port)
        made = report("nginx", str(config), "-s", "nginx-path-wrong", "--", "--api", "--port", port)
    assert [one["severity"] for one in made["findings"]] == (["error"] if status == 404 else [])
    if made["findings"]:
        with nginx(tmp_path / "mended", mended(config, made["findings"][0]["fixes"][0])) as (url, _):
            assert ask("GET", url + asked).status_code == 200


# -- names -----------------------------------------------------------------------------------------------------------


def test_the_page_and_redirects_name_the_group_of_servers(tmp_path: Path) -> None:
    with standin("ui-gradio-auth") as forge:  # the login page carries the address that gradio takes for its own
        page_and_redirects(forge, tmp_path)


def page_and_redirects(forge: str, tmp_path: Path) -> None:
    group = f"upstream inner {{ server {httpx.URL(forge).netloc.decode()}; }}"
    with nginx(tmp_path, site("proxy_pass http://inner; proxy_redirect off;", group)) as (url, config):
        assert "http://inner" in ask("GET", f"{url}/").text
        assert ask("GET", f"{url}/sdapi/v1/progress/").headers["location"].startswith("http://inner/")
        assert named(config, forge)["proxy-wrong-public-url"] == "error"
        assert named(config, forge, "--nowebui")["proxy-wrong-public-url"] == "info"
    with nginx(tmp_path / "right", site("proxy_pass http://inner; proxy_set_header Host $http_host;", group)) as (
        url,
        config,
    ):
        assert "http://inner" not in ask("GET", f"{url}/").text
        assert ask("GET", f"{url}/sdapi/v1/progress/").headers["location"].startswith(url)
        assert "proxy-wrong-public-url" not in named(config, forge)


def test_the_host_without_its_port_is_wrong_on_an_unusual_port(forge: str, tmp_path: Path) -> None:
    with nginx(tmp_path, site(f"proxy_pass {forge}; proxy_set_header Host $host; proxy_redirect off;")) as (
        url,
        config,
    ):
        assert not ask("GET", f"{url}/sdapi/v1/progress/").headers["location"].startswith(url)
        assert named(config, forge)["proxy-wrong-public-url"] == "warning"


# -- several, none, the wrong one ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "seen"), [("least_conn;", False), ("ip_hash;", True)])
def test_progress_asks_the_idle_one(slow: str, method: str, seen: bool, tmp_path: Path) -> None:
    with standin("ui-api", seconds=6.0) as other:
        names = [httpx.URL(one).netloc.decode() for one in (slow, other)]
        group = f"upstream two {{\n{method}\nserver {names[0]};\nserver {names[1]};\n}}"
        with nginx(tmp_path, site(f"proxy_pass http://two; {ANY_GOOD}", group)) as (url, config):
            job = threading.Thread(target=ask, args=("POST", f"{url}/sdapi/v1/txt2img"), kwargs={"json": {}})
            job.start()
            while not any(busy(one) for one in (slow, other)):
                time.sleep(0.05)
            polls = [busy(url) for _ in range(4)]
            ask("POST", f"{slow}/sdapi/v1/interrupt")
            ask("POST", f"{other}/sdapi/v1/interrupt")
            job.join()
            assert polls == [seen] * 4
            assert ("nginx-several-backends" in named(config, slow)) == (not seen)


def busy(url: str) -> bool:
    return bool(ask("GET", f"{url}/sdapi/v1/progress").json()["state"]["job_count"])


def test_the_wrong_port_is_a_502(forge: str, tmp_path: Path) -> None:
    nobody = free_port()
    with nginx(tmp_path, site(f"proxy_pass http://127.0.0.1:{nobody};")) as (url, config):
        assert ask("GET", f"{url}/sdapi/v1/progress").status_code == 502
        assert named(config, forge)["nginx-wrong-upstream"] == "error"
        log = (tmp_path / "error.log").read_bytes()
        made = report("api", url, "--timeout", "1", "--lang", "en")
        assert made["findings"][0]["check"] == "not-ready-yet" and "nginx" in made["findings"][0]["summary"]
    (first, *_) = report("read", "--lang", "en", "-", stdin=log)["findings"]
    assert first["check"] == "nginx-upstream-refused" and str(nobody) in first["summary"]


def test_localhost_is_asked_over_ipv6_first_and_works_all_the_same(forge: str, tmp_path: Path) -> None:
    target = forge.replace("127.0.0.1", "localhost")
    with nginx(tmp_path, site(f"proxy_pass {target};")) as (url, config):
        assert {ask("GET", f"{url}/sdapi/v1/progress").status_code for _ in range(4)} == {200}
        assert named(config, forge)["nginx-localhost-upstream"] == "info"


def test_a_limit_answers_503(forge: str, tmp_path: Path) -> None:
    zone = "limit_req_zone $binary_remote_addr zone=few:1m rate=1r/s;"
    with nginx(tmp_path, site(f"proxy_pass {forge}; limit_req zone=few;", zone)) as (url, config):
        assert 503 in [ask("GET", f"{url}/sdapi/v1/progress").status_code for _ in range(4)]
        assert named(config, forge)["nginx-request-limit"] == "warning"
        seen = report("api", url, "--timeout", "1", "--lang", "en")
        assert "nginx-request-limit" in [one["check"] for one in seen["findings"]]
        log = (tmp_path / "error.log").read_bytes()
    assert report("read", "--lang", "en", "-", stdin=log)["findings"][0]["check"] == "nginx-request-limit"


def test_a_port_that_is_taken_is_told_from_forges(forge: str, tmp_path: Path) -> None:
    taken = httpx.URL(forge).port
    config = written(tmp_path, f"server {{ listen 127.0.0.1:{taken}; }}")
    assert checked_by_nginx(config).returncode == 0, "nginx -t does not notice"
    started = subprocess.run(
        [str(NGINX), "-p", str(tmp_path), "-c", str(config)], capture_output=True, timeout=30, check=False
    )
    assert started.returncode == 1
    (first, *_) = report("read", "--lang", "en", "-", stdin=started.stderr)["findings"]
    assert (first["check"], str(taken) in first["summary"]) == ("nginx-cannot-bind", True)


def test_a_brace_that_is_missing(tmp_path: Path) -> None:
    config = written(tmp_path, "server { listen 127.0.0.1:1;\n location / { proxy_pass http://127.0.0.1:7860;\n}")
    refused = checked_by_nginx(config)
    assert refused.returncode == 1
    for made in (report("nginx", str(config)), report("read", "-", stdin=refused.stderr.encode())):
        assert "nginx-config-broken" in [one["check"] for one in made["findings"]]
    assert "proxy-limits" in [one["check"] for one in report("nginx", str(config))["findings"]], "the rest is judged"


# -- a running one ---------------------------------------------------------------------------------------------------


def test_the_running_nginx_in_front_of_a_running_forge_is_found(tmp_path: Path) -> None:
    port = free_port()
    place = folder(tmp_path / "forge", launch=SERVE.format(root=str(ROOT), mode="ui-api"))
    with running(place, "--api", "--port", str(port), port=port):
        with nginx(tmp_path / "nginx", site(f"        proxy_pass http://127.0.0.1:{port};")) as (_, config):
            made = report("nginx", "--lang", "en", cwd=place)
            live = report("triage", "--dir", str(place), "--lang", "en")
        gone = report("nginx", "--lang", "en", cwd=place)
    for one in (made, live):
        (limits, *_) = [each for each in one["findings"] if each["check"] == "proxy-limits"]
        assert str(config) in limits["evidence"][0]["source"].replace("~", str(Path.home()))
        reload = limits["fixes"][0]["steps"][-1]["command"]
        assert f"-c {config}" in reload.replace("~", str(Path.home()))
    assert gone["findings"] == [] or all("nginx" not in one["evidence"][0]["source"] for one in gone["findings"])
