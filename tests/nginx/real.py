"""Debian's nginx as a process of the test's own, with its own folder, configuration and port."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forge_like import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")

real = [pytest.mark.real, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]

_FRAME = """{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # inside
{inside}
    # end
}}
"""


def written(folder: Path, inside: str) -> Path:
    """A configuration whose http block holds ``inside``; a root's nginx keeps its rights, or it could not write."""
    folder.mkdir(parents=True, exist_ok=True)
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(_FRAME.format(user=user, folder=folder, inside=inside))
    return path


def checked_by_nginx(config: Path) -> subprocess.CompletedProcess[str]:
    """``nginx -t``."""
    return _nginx(config, "-t")


def mended(config: Path, fix: dict[str, Any]) -> str:
    """The inside of http with the edits of a fix in place, each of which must fit its line; ready for :func:`nginx`."""
    lines = config.read_text().split("\n")
    edits = [step for step in fix["steps"] if step["kind"] == "edit"]
    assert edits
    for step in edits:
        assert lines[step["line"] - 1] == step["before"]
        lines[step["line"] - 1] = step["after"]
    inside = "\n".join(lines).split("# inside\n")[1].split("# end")[0]
    return re.sub(r"(listen 127\.0\.0\.1:)\d+", r"\1PORT", inside)


def _nginx(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert NGINX
    return subprocess.run(
        [NGINX, "-p", str(config.parent), "-c", str(config), *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@contextlib.contextmanager
def nginx(folder: Path, inside: str) -> Iterator[tuple[str, Path]]:
    """Run nginx with this inside of http, ``PORT`` in it replaced by a free one; yields its address and main file."""
    assert NGINX
    port = free_port()
    config = written(folder, inside.replace("PORT", str(port)))
    assert (done := checked_by_nginx(config)).returncode == 0, done.stderr
    command = [NGINX, "-p", str(folder), "-c", str(config), "-g", "daemon off;"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_open(port, process)
        yield f"http://127.0.0.1:{port}", config
    finally:
        process.terminate()
        process.wait(10)


def _until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "nginx ended"
        time.sleep(0.05)
    raise TimeoutError(f"nginx does not listen on {port}")
