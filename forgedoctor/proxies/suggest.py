"""A server block of nginx for one launch of Forge: what it needs, a line each, and why.

Source: nginx.org; each line's use was measured with nginx 1.22.1; gradio's routes and addresses: 3.41.2 and 4.40.0.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from forgedoctor.message import ENGLISH, Message, t


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a block is wanted for.

    ``backend``: host and port as a URL has them. ``prefix``: without slashes, empty for none. ``page``: the web page is
    served, with ``gradio`` 3 or 4. ``backend_tls``: Forge itself speaks https. ``login``: how Forge asks for one, a
    flag's name; empty where it does not. ``name``: the public name, empty for any. ``tls``: clients speak https.
    """

    backend: str
    prefix: str = ""
    page: bool = True
    gradio: int = 4
    backend_tls: bool = False
    login: str = ""
    name: str = ""
    tls: bool = False


def block(wanted: Wanted, language: str = ENGLISH) -> str:
    """The text of the block, and for https of one before it that sends http there."""
    lines: list[str] = []
    if wanted.tls:
        lines += ["server {", *_indented(_redirect(wanted), 1, language), "}", ""]
    lines += ["server {", *_indented(_server(wanted), 1, language)]
    lines += ["", *_indented(_bare(wanted), 1, language)] if wanted.prefix else [""]
    lines += [f"    location {_path(wanted)} {{", *_indented(_location(wanted), 2, language), "    }", "}"]
    return "\n".join(lines) + "\n"


Line = tuple[str, Message | None]


def _indented(lines: Iterator[Line], depth: int, language: str) -> Iterator[str]:
    """Each line with the comment that says why; a comment that would not end on its line is not possible."""
    for line, why in lines:
        told = f"  # {' '.join(why.text(language).split())}" if why else ""
        yield ("    " * depth + line + told).rstrip() if line else "    " * depth + told.strip()


def _path(wanted: Wanted) -> str:
    return f"/{wanted.prefix}/" if wanted.prefix else "/"


def _redirect(wanted: Wanted) -> Iterator[Line]:
    yield "listen 80;", None
    yield f"server_name {wanted.name or '_'};", None
    yield "return 301 https://$host$request_uri;", t("a POST does not survive this: give clients the https address")


def _server(wanted: Wanted) -> Iterator[Line]:
    if wanted.tls:
        name = wanted.name or "NAME"
        yield "listen 443 ssl;", None
        yield f"server_name {wanted.name or '_'};", None
        yield f"ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;", t("your certificate with its chain")
        yield f"ssl_certificate_key /etc/letsencrypt/live/{name}/privkey.pem;", t("and its key")
    else:
        yield "listen 80;", t("plain http: keep it in your own network")
        yield f"server_name {wanted.name or '_'};", None if wanted.name else t("any name")
    if wanted.login:
        yield (
            "",
            t(
                "Forge asks for the login itself ({flag}): no auth_basic here, it uses the same header",
                flag=wanted.login,
            ),
        )
        if wanted.page and wanted.login == "--api-auth":
            yield "", t("--api-auth guards the API alone: the page needs --gradio-auth as well")
    else:
        flags = "--api-auth --gradio-auth" if wanted.page else "--api-auth"
        yield (
            "",
            t(
                "nobody is asked for a login: add auth_basic and auth_basic_user_file, or start Forge with {flags}",
                flags=flags,
            ),
        )


def _bare(wanted: Wanted) -> Iterator[Line]:
    yield f"location = /{wanted.prefix} {{ return 301 /{wanted.prefix}/; }}", t("the address without its last slash")
    yield "", None


def _location(wanted: Wanted) -> Iterator[Line]:
    scheme = "https" if wanted.backend_tls else "http"
    if wanted.prefix:
        yield (
            f"proxy_pass {scheme}://{wanted.backend}/;",
            t("the slash at the end takes /{prefix}/ off: Forge's routes are at /", prefix=wanted.prefix),
        )
    else:
        yield (
            f"proxy_pass {scheme}://{wanted.backend};",
            t("where Forge listens; no slash at the end: the address is passed on as it is"),
        )
    yield "proxy_http_version 1.1;", t("a websocket needs it, and so does streaming in chunks")
    yield from _headers(wanted)
    yield "client_max_body_size 100m;", t("images in base64: nginx takes 1 MB unless told otherwise")
    yield "proxy_request_buffering off;", t("hand large images on as they come")
    yield "proxy_connect_timeout 5s;", t("Forge is near: say soon that it is not there")
    yield "proxy_read_timeout 600s;", t("an answer comes when the image is done, and the first one loads the model")
    yield "proxy_send_timeout 600s;", t("the same for a slow upload")
    if wanted.page:
        yield "proxy_buffering off;", t("the page's events must come as they happen")


def _headers(wanted: Wanted) -> Iterator[Line]:
    yield "proxy_set_header Host $host;", t("the page and redirects name this address, not Forge's own")
    yield "proxy_set_header X-Forwarded-Proto $scheme;", t("so that the page says https where the browser does")
    yield "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", t("who asked, for Forge's log")
    if wanted.page and wanted.gradio == 3:
        yield "proxy_set_header Upgrade $http_upgrade;", t("gradio 3 speaks over a websocket")
        yield 'proxy_set_header Connection "upgrade";', t("the same")
