"""What several checks of packages share: the web stack, when two versions are the same, and pip as a command."""

from __future__ import annotations

import re
import shlex

from forgedoctor.facts import Host, Packages

STACK = ("gradio", "gradio-client", "fastapi", "starlette", "pydantic", "httpx", "httpcore", "uvicorn")


def pip(packages: Packages, host: Host | None) -> str:
    """pip of Forge's venv, as a command for this system. The one-click package has its Python without a Scripts folder."""
    if host and host.system == "windows":
        one_click = packages.venv.replace("/", "\\").lower().endswith("\\system\\python")
        return f'"{packages.venv}\\{"" if one_click else "Scripts" + chr(92)}python.exe" -m pip'
    return f"{shlex.quote(packages.venv + '/bin/python')} -m pip"


def same_version(have: str, pin: str) -> bool:
    """Whether an installed version is the pinned one: a local part (+cu121) and zeros at the end do not count."""
    return _bare(have) == _bare(pin)


def _bare(text: str) -> str:
    return re.sub(r"(?:\.0+)+$", "", text.partition("+")[0].lower())
