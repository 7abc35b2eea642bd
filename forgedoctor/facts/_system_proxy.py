"""The proxy in the settings of Windows and macOS, as Python's urllib reads it for every HTTP client."""

from __future__ import annotations

import importlib
import sys
from typing import Any

EXCEPTIONS = ("ProxyOverride", "ExceptionsList")
_KEY = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"

Rows = list[tuple[str, str, str]]


def read() -> Rows:
    """(name, value, source) of each setting; empty where no proxy is set, and on other systems.

    Names are those of urllib (``http``, ``https``, ``socks`` …), and the list of exceptions under the
    system's name for it. A configuration script (PAC) is not among them: neither httpx nor requests reads it.
    """
    if sys.platform == "win32":
        return _rows("getproxies_registry", "windows settings", "ProxyOverride", override())
    if sys.platform == "darwin":
        return _rows("getproxies_macosx_sysconf", "macos settings", "ExceptionsList", exceptions())
    return []


def _rows(function: str, source: str, name: str, listed: str) -> Rows:
    urllib = importlib.import_module("urllib.request")
    try:
        found: dict[str, str] = getattr(urllib, function)()
    except (AttributeError, OSError, ValueError):
        return []
    rows = [(kind, value, source) for kind, value in sorted(found.items()) if value]
    return [*rows, (name, listed, source)] if rows and listed else rows


def override() -> str:
    """Windows: the hosts that go past the proxy, separated by ``;``; ``<local>`` means names without a dot."""
    try:
        winreg: Any = importlib.import_module("winreg")
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _KEY) as key:
            return str(winreg.QueryValueEx(key, "ProxyOverride")[0])
    except (ImportError, OSError, ValueError):
        return ""


def exceptions() -> str:
    """macOS: the same, separated by ``,``; "exclude simple hostnames" is given as ``<local>``."""
    try:
        settings: dict[str, Any] = importlib.import_module("_scproxy")._get_proxy_settings()
    except (ImportError, OSError, AttributeError):
        return ""
    listed = [str(one) for one in settings.get("exceptions", ()) if one]
    return ",".join([*listed, "<local>"] if settings.get("exclude_simple") else listed)
