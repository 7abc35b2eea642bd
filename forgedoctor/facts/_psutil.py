"""psutil, loaded only when a collector needs it, with the differences between releases (5.9.5 and later)."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from forgedoctor.fact import Unavailable
from forgedoctor.message import t

T = TypeVar("T")


def load() -> Any:
    """The psutil module. Raises Unavailable where it is not installed or does not load."""
    try:
        return importlib.import_module("psutil")
    except (ImportError, OSError) as error:
        raise Unavailable(
            t("psutil cannot be loaded: {why}", why=str(error)),
            settle=t("reinstall psutil in the environment of forgedoctor"),
        ) from None


def tcp_connections(owner: Any) -> list[Any]:
    """The TCP sockets of a process (``connections`` was renamed to ``net_connections`` in psutil 6.0)."""
    read = getattr(owner, "net_connections", None) or owner.connections
    return list(read(kind="tcp"))


def attempt(call: Callable[[], T], default: T) -> T:
    """What a psutil method returns, or the default where the system does not tell (no right, gone, odd)."""
    try:
        return call()
    except (load().Error, OSError, ValueError, RuntimeError):
        return default
