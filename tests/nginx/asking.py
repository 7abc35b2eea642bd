"""Clients of a Forge behind nginx, and the doctor's word on the configuration in between."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.forge_like import ROOT, free_port, report

IMAGE = {"init_images": ["A" * 2_000_000]}  # an image of 1.5 MB


def client(**more: Any) -> httpx.Client:
    return httpx.Client(trust_env=False, timeout=30, **more)


def ask(method: str, url: str, **more: Any) -> httpx.Response:
    with client() as one:
        return one.request(method, url, **more)


def named(config: Path, url: str, *flags: str, fork: str = "forge") -> dict[str, str]:
    """What the doctor finds in a configuration before a Forge at this URL: severity by check."""
    port = str(httpx.URL(url).port)
    made = report("nginx", str(config), "--lang", "en", "--fork", fork, "--", *(flags or ("--api",)), "--port", port)
    assert made["summary"]["crashed"] == 0
    assert all(one["evidence"] and one["fixes"] for one in made["findings"])
    return {one["check"]: one["severity"] for one in reversed(made["findings"])}


@contextlib.contextmanager
def peer() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.nginx.peer", str(port)], cwd=ROOT)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def heard(url: str) -> str:
    """How the last event says that the first one was received: ``heard`` while the stream was open, or ``alone``."""
    with client() as one, one.stream("GET", f"{url}/queue/data") as stream:
        text = ""
        for chunk in stream.iter_text():
            if not text:
                ask("GET", f"{url}/tell")
            text += chunk
    return text.split("data: ")[-1].strip()
