"""Locations whose path is not their own: named ones, expressions and variables; and files that nginx cannot read."""

from __future__ import annotations

import codecs
from pathlib import Path

import httpx
import pytest

from forgedoctor.facts import _nginx_files
from forgedoctor.facts.nginx import examined
from tests.forge_like import doctor, report
from tests.nginx.asking import IMAGE, ask, named
from tests.nginx.real import checked_by_nginx, mended, nginx, real, written
from tests.nginx.test_reading import read
from tests.standin.launcher import standin

PASS = "proxy_pass http://127.0.0.1:7860;"


def server(inside: str) -> str:
    return f"events {{}}\nhttp {{ server {{ listen 80; {inside} }} }}\n"


def fixes_of(path: Path, check: str, *flags: str) -> str:
    made = report("nginx", str(path), "--lang", "en", "-s", check, "--", *flags)
    return " ".join(fix["title"] for one in made["findings"] for fix in one["fixes"])


def test_a_named_location_has_the_path_of_what_jumps_to_it() -> None:
    found = read(
        server(
            f"location /a/ {{ try_files $uri @b; }} location = /c {{ error_page 404 = @b; }} "
            f"location @forge {{ {PASS} }} location @b {{ error_page 502 @forge; return 502; }}"
        )
    )
    assert [(one.label, one.modifier, one.path) for one in found.locations] == [
        ("location @forge", "", "/a/"),
        ("location @forge", "=", "/c"),
    ]
    assert not any(one.lost for one in found.locations)
    (alone,) = read(server(f"location @forge {{ {PASS} }}")).locations
    assert alone.lost and alone.path == ""


def test_each_server_has_its_own_names() -> None:
    one = f"server {{ location /a/ {{ try_files $uri @f; }} location @f {{ {PASS} }} }}"
    other = f"server {{ location @f {{ {PASS} }} }}"
    assert [location.path for location in read(f"http {{ {one} {other} }}").locations] == ["/a/", ""]


def test_the_login_of_what_jumps_to_it_counts() -> None:
    (found,) = read(server(f"location / {{ auth_basic x; try_files $uri @f; }} location @f {{ {PASS} }}")).locations
    assert found.guards == ("auth_basic",)


@pytest.mark.parametrize("names", [2, 3000])
def test_circles_end(names: int) -> None:
    ring = "".join(f"location @n{i} {{ try_files $uri @n{(i + 1) % names}; {PASS} }}" for i in range(names))
    assert read(server(f"location / {{ try_files $uri @n0; }} {ring}")).locations


@pytest.mark.parametrize(
    ("target", "hosts", "uri"),
    [
        ("http://127.0.0.1:7860/$1$is_args$args", (("127.0.0.1", 7860),), "/$1$is_args$args"),
        ("http://127.0.0.1:7860$request_uri", (("127.0.0.1", 7860),), "$request_uri"),
        ("http://10.0.0.5$uri", (("10.0.0.5", 80),), "$uri"),
        ("http://$backend/x", (), "/x"),
        ("http://127.0.0.1:$port", (), None),
    ],
)
def test_the_address_is_known_where_only_the_path_is_not(
    target: str, hosts: tuple[tuple[str, int], ...], uri: str | None
) -> None:
    (found,) = read(server(f"location ~ ^/sd/(.*)$ {{ proxy_pass {target}; }}")).locations
    assert (found.hosts, found.uri) == (hosts, uri)


def test_a_path_with_variables_is_unknown_and_says_what_would_tell(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text(server("location ~ ^/sd/(.*)$ { proxy_pass http://127.0.0.1:7860/$1$is_args$args; }"))
    made = report("nginx", str(path), "--lang", "en", "--", "--api")
    (unknown,) = [one for one in made["unknown"] if "nginx-path-wrong" in str(one)]
    assert "curl -i" in unknown["settle"] and {"proxy-limits"} <= {one["check"] for one in made["findings"]}


def test_thousands_of_bad_places_are_a_short_report(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    many = "".join(f"location /x{i} {{\n proxy_pass http://127.0.0.1:7860/;\n}}\n" for i in range(4000))
    path.write_text(server(many))
    made = report("nginx", str(path), "--lang", "en", "--", "--api")
    wrong = [one for one in made["findings"] if one["check"] == "nginx-path-wrong"]
    assert len(wrong) == 5 and "at least 295 more" in wrong[-1]["evidence"][-1]["text"]
    assert all(len([one for one in made["findings"] if one["check"] == id]) <= 5 for id in {one["check"] for one in made["findings"]})  # fmt: skip
    assert len(doctor("nginx", str(path), "--lang", "en", "--", "--api").stdout.splitlines()) < 500


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE], ids=["utf-8", "utf-16"])
@pytest.mark.parametrize("first", ["", "# a comment\n", "\n"])
def test_a_mark_before_the_first_word_is_the_cause(mark: bytes, first: str, tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    encoding = "utf-8" if mark == codecs.BOM_UTF8 else "utf-16-le"
    path.write_bytes(mark + (first + server(f"location / {{ {PASS} }}")).encode(encoding))
    made = report("nginx", str(path), "--lang", "en", "--", "--api")
    (broken,) = [one for one in made["findings"] if one["check"] == "nginx-config-broken"]
    assert "(BOM)" in broken["summary"] and broken["severity"] == "error"
    dump = mark + f"# configuration file /etc/nginx/nginx.conf:\n{server(f'location / {{ {PASS} }}')}".encode(encoding)
    path.write_bytes(dump)
    made = report("nginx", str(path), "--lang", "en", "--", "--api")
    assert "nginx-config-broken" not in {one["check"] for one in made["findings"]}, "a shell wrote that mark"


def test_a_mark_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_bytes(codecs.BOM_UTF8 + f"server {{ location / {{ {PASS} }} }}".encode())
    (tmp_path / "x.conf").write_text("events {}\nhttp { include a.conf; }\n")
    found = examined(_nginx_files.gather(str(tmp_path / "x.conf")))
    assert [Path(one.file).name for one in found.broken] == ["a.conf"] and len(found.locations) == 1


@pytest.mark.parametrize(
    ("flags", "both"), [(["--api"], True), (["--nowebui"], False), ([], True)], ids=["page", "api", "page-alone"]
)
def test_the_flags_of_the_login_guard_all_that_is_served(flags: list[str], both: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text(server(f"location / {{ {PASS} }}"))
    told = fixes_of(path, "nginx-open-to-all", *flags, "--port", "7860")
    assert ("--gradio-auth" in told) == both and ("--api-auth" in told) == bool(flags)
    block = doctor("nginx", "--suggest", "--lang", "en", "--", *(flags or ["--api"])).stdout.decode()
    assert ("--gradio-auth" in block) == both and "--api-auth" in block


def test_a_login_for_the_api_alone_is_said_to_be_that() -> None:
    block = doctor("nginx", "--suggest", "--lang", "en", "--", "--api", "--api-auth", "u:p").stdout.decode()
    assert "the page needs --gradio-auth" in block


# -- with nginx ------------------------------------------------------------------------------------------------------

NAMED = "server {{\n listen 127.0.0.1:PORT;\n root /nonexistent;\n location {path} {{\n  try_files $uri @f;\n }}\n location @f {{\n  proxy_pass {url};\n  proxy_read_timeout 600s;\n }}\n}}"  # fmt: skip


@pytest.mark.real
@real[1]
def test_nginx_measures_the_body_before_the_jump(tmp_path: Path) -> None:
    with standin("ui-api") as forge:
        wrong = NAMED.format(path="/", url=forge)
        inner = wrong.replace("600s;", "600s; client_max_body_size 100m;")
        with nginx(tmp_path / "wrong", inner) as (url, config):
            assert ask("GET", f"{url}/sdapi/v1/progress").status_code == 200
            assert ask("POST", f"{url}/sdapi/v1/img2img", json=IMAGE).status_code == 413
            found = named(config, forge)
            assert found["proxy-limits"] == "error" and "nginx-path-wrong" not in found
            port = str(httpx.URL(forge).port)
            made = report("nginx", str(config), "-s", "proxy-limits", "--", "--api", "--port", port)
        with nginx(tmp_path / "right", mended(config, made["findings"][0]["fixes"][0])) as (url, config):
            assert ask("POST", f"{url}/sdapi/v1/img2img", json=IMAGE).status_code == 200
            assert "proxy-limits" not in named(config, forge)


@pytest.mark.real
@real[1]
@pytest.mark.parametrize("place", [NAMED.format(path="/sd/", url="{url}"), "server {{\n listen 127.0.0.1:PORT;\n location ~ ^/sd/ {{\n  proxy_pass {url};\n }}\n}}", "server {{\n listen 127.0.0.1:PORT;\n location /sd/ {{\n  proxy_pass {url}$request_uri;\n }}\n}}"], ids=["named", "expression", "request_uri"])  # fmt: skip
def test_a_prefix_that_is_left_and_its_fix(place: str, tmp_path: Path) -> None:
    with standin("ui-api") as forge:
        port = str(httpx.URL(forge).port)
        text = place.replace("{url}", forge).replace("{{", "{").replace("}}", "}")
        with nginx(tmp_path / "wrong", text) as (url, config):
            assert ask("GET", f"{url}/sd/sdapi/v1/progress").status_code == 404
            made = report("nginx", str(config), "-s", "nginx-path-wrong", "--", "--api", "--port", port)
        (found,) = made["findings"]
        with nginx(tmp_path / "right", mended(config, found["fixes"][0])) as (url, _):
            assert ask("GET", f"{url}/sd/sdapi/v1/progress").status_code == 200


@pytest.mark.real
@real[1]
def test_nginx_takes_no_mark(tmp_path: Path) -> None:
    path = written(tmp_path, f"server {{ listen 127.0.0.1:1; location / {{ {PASS} }} }}")
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert "unknown directive" in checked_by_nginx(path).stderr
