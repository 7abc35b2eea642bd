"""nginx's configuration as nginx reads it: what is in force where, which file says so, and what cannot be read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgedoctor.facts import _nginx_files
from forgedoctor.facts.nginx import Nginx, examined
from forgedoctor.proxies import statements, units
from forgedoctor.proxies.model import Location
from tests.forge_like import doctor, report

PASS = "proxy_pass http://127.0.0.1:7860;"


def read(text: str, ports: tuple[int, ...] = ()) -> Nginx:
    return examined(statements.sections(text, "nginx.conf"), ports)


def only(text: str) -> Location:
    (location,) = read(text).locations
    return location


def tree(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "nginx.conf"


# -- what is in force ------------------------------------------------------------------------------------------------


def test_the_nearest_block_counts_and_says_where() -> None:
    found = only(
        "http {\n client_max_body_size 1m;\n proxy_read_timeout 10s;\n server {\n client_max_body_size 20m;\n"
        f" location / {{\n proxy_read_timeout 5m;\n {PASS}\n }} }} }}"
    )
    size, time = found.setting("client_max_body_size"), found.setting("proxy_read_timeout")
    assert (size.value, size.at and size.at.line, size.own) == ("20m", 5, False)
    assert (time.value, time.at and str(time.at), time.own) == ("5m", "nginx.conf:7", True)
    assert found.setting("proxy_buffering").at is None and found.setting("proxy_buffering").value == "on"


def test_headers_are_replaced_as_a_whole() -> None:
    server = "proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade;"
    assert set(only(f"server {{ {server} location / {{ {PASS} }} }}").headers) == {"host", "upgrade"}
    lost = only(f"server {{ {server} location / {{ proxy_set_header X-Real-IP $remote_addr; {PASS} }} }}")
    assert lost.header("host") is None and set(lost.headers) == {"x-real-ip"}


def test_nested_locations_ifs_and_the_group() -> None:
    found = read(
        "upstream sd { ip_hash; server 10.0.0.5:7860; server 10.0.0.6:7860 backup; server 10.0.0.7:7860 down; keepalive 8; }"
        "server { listen [::]:8443 ssl; server_name a b; location /a/ { location /a/b/ { if ($http_x) { proxy_pass http://sd; } } } }"
    ).locations[0]
    assert (found.path, found.names, found.tls, found.listens[0].port) == ("/a/b/", ("a", "b"), True, 8443)
    assert found.upstream and (found.upstream.method, found.upstream.servers, found.upstream.keepalive) == (
        "ip_hash",
        ("10.0.0.5:7860",),
        8,
    )


def test_a_variable_that_is_set_to_a_constant_is_followed() -> None:
    found = only("server { set $sd http://127.0.0.1:7860; location / { proxy_pass $sd; } }")
    assert found.hosts == (("127.0.0.1", 7860),) and found.variables
    assert read("server { location / { proxy_pass http://$backend; } }").locations[0].hosts == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1m", 1048576), ("512k", 524288), ("2G", 2147483648), ("0", 0), ("$size", None), ("1mb", None), ("", None)],
)
def test_sizes(text: str, expected: int | None) -> None:
    assert units.size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60", 60), ("60s", 60), ("1m30s", 90), ("1h", 3600), ("500ms", 0.5), ("x", None), ("", None)],
)
def test_times(text: str, expected: float | None) -> None:
    assert units.seconds(text) == expected


# -- which of them go to Forge ---------------------------------------------------------------------------------------


def test_forges_port_decides_then_the_usual_ones() -> None:
    two = "".join(f"server {{ location / {{ proxy_pass http://127.0.0.1:{port}; }} }}" for port in (3000, 7860, 9999))
    assert [one.ports for one in read(two).locations] == [(7860,)]
    assert [one.ports for one in read(two, (9999,)).locations] == [(9999,)]
    assert read(two).others == ("127.0.0.1:3000", "127.0.0.1:9999")
    assert read("server { location / { proxy_pass http://127.0.0.1:3000; } }").aim == "only"


def test_secrets_are_not_kept() -> None:
    found = read(
        'server { proxy_set_header Authorization "Basic c2VjcmV0";\nproxy_set_header X-Key hunter2;\n'
        "location / {\nproxy_pass http://user:sesame@127.0.0.1:7860/;\n} }"
    )
    assert found.locations and not any(word in repr(found) for word in ("c2VjcmV0", "hunter2", "sesame"))


# -- files -----------------------------------------------------------------------------------------------------------


def test_includes_are_followed_and_named(tmp_path: Path) -> None:
    main = tree(
        tmp_path,
        nginx="events {}\nhttp {\ninclude common.conf;\ninclude sites/*.conf;\ninclude none/*.conf;\n}\n",
        common="client_max_body_size 64m;",
        sites__a=f"server {{\n  location / {{\n    include {tmp_path}/pass.conf;\n  }}\n}}",
        sites__b="server { location / { proxy_pass http://127.0.0.1:3000; } }",
    )
    (tmp_path / "pass.conf").write_text(f"\n{PASS}\n")
    found = examined(_nginx_files.gather(str(main)))
    (location,) = found.locations
    assert location.setting("client_max_body_size").at and location.setting("client_max_body_size").value == "64m"
    assert (location.pass_at.line, location.pass_at.file) == (2, f"{tmp_path}/pass.conf")
    assert found.complete and not found.problems


def test_a_dump_of_nginx_is_several_files() -> None:
    found = read(
        "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n# configuration file /etc/nginx/nginx.conf:\n"
        f"http {{\n include sites-enabled/*;\n}}\n\n# configuration file /etc/nginx/sites-enabled/sd:\nserver {{\n location / {{\n  {PASS}\n }}\n}}\n"
    )
    assert str(found.locations[0].pass_at) == "/etc/nginx/sites-enabled/sd:3"
    assert found.complete


def test_a_snippet_says_that_more_may_be_set_elsewhere() -> None:
    found = read(f"server {{\n include snippets/x.conf;\n location / {{ {PASS} }}\n}}")
    assert found.locations and not found.whole and [one.kind for one in found.problems] == ["unseen"]


def test_troubles_with_files_do_not_hide_the_rest(tmp_path: Path) -> None:
    main = tree(
        tmp_path,
        nginx=f"http {{ include a.conf; include gone.conf; include big.conf; include bin.conf; include dir.conf; include pipe.conf;\nserver {{ location / {{ {PASS} }} }} }}",
        a="include b.conf;",
        b="include a.conf;",
    )
    (tmp_path / "big.conf").write_bytes(b"# x\n" * 13_000_000)  # 52 MB
    (tmp_path / "bin.conf").write_bytes(b"\x7fELF\x00\x00" * 100)
    (tmp_path / "dir.conf").mkdir()
    os.mkfifo(tmp_path / "pipe.conf")
    found = examined(_nginx_files.gather(str(main)))
    assert len(found.locations) == 1 and not found.complete
    told = {(one.kind, one.text) for one in found.problems}
    assert {("unread", "too-large"), ("unread", "binary"), ("unread", "folder"), ("unread", "special")} <= told
    assert any("gone.conf" in text and kind == "syntax" for kind, text in told)
    assert any("includes itself" in text for _, text in told)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"http {{ server {{ location / {{ {PASS} }}", 'expecting "}"'),
        (f"http {{ server {{ location / {{ {PASS} }} }} }}\n}}", 'unexpected "}"'),
        (f'http {{ server {{ location / {{ {PASS} }} }} }}\nlog_format "x', "unexpected end of file"),
    ],
)
def test_what_is_before_a_fault_is_judged(text: str, why: str) -> None:
    found = read(text)
    assert found.broken and why in found.broken[0].text
    assert bool(found.locations) == ("log_format" not in text)


BAD = {
    "binary": (b"\x7fELF\x00\x01", "no text"),
    "huge": (b"a b;\n" * 11_000_000, "too large"),
}


@pytest.mark.parametrize("kind", [*BAD, "missing", "folder", "socket"])
def test_a_file_that_is_none_is_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    if kind in BAD:
        path.write_bytes(BAD[kind][0])
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    done = doctor("nginx", str(path))
    assert done.returncode == 2 and done.stdout == b"" and b"Traceback" not in done.stderr
    said = done.stderr.decode().strip().splitlines()[-1]
    assert said.startswith("Error: Invalid value for FILE: ") and said.endswith(".")


@pytest.mark.parametrize("text", ["", "just words", "{{{{{{{{", "\x00\x01\x02", "http {}", "# configuration file x:\n"])
def test_what_leads_nowhere_is_unknown(text: str) -> None:
    done = doctor("nginx", "--lang", "en", "-", stdin=text.encode())
    assert done.returncode in (1, 3) and b"Traceback" not in done.stderr + done.stdout
    assert done.returncode == 1 or b"passes requests to Forge" in done.stderr


def test_a_configuration_for_something_else_is_not_judged() -> None:
    made = report("read", "-", stdin=b"server {\n location / {\n  proxy_pass http://127.0.0.1:3000;\n }\n}\n")
    assert made["findings"] == [] and made["advice"] == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("{};#\"'\\$ \nabx/:*1"), max_size=300) | st.lists(st.sampled_from(
    ["http {", "server {", "location / {", "}", PASS, "include *;", "include nginx.conf;", "proxy_set_header", "upstream a {",
     "listen", ";", "limit_req zone=a;", "proxy_pass", "http://[::1", "set $a b;", "\n"]), max_size=40).map(" ".join))  # fmt: skip
def test_no_text_is_too_odd(text: str) -> None:
    found = read(text)
    assert isinstance(found, Nginx)
    read(f"# configuration file nginx.conf:\n{text}\n# configuration file b:\n{text}")
