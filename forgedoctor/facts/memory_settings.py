"""What the settings file says about memory: "GPU Weights", the way of swapping, Diffusion in Low Bits."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts.install import Install
from forgedoctor.facts.launch import Launch
from forgedoctor.message import t
from forgedoctor.target import Target

LIMIT = 5_000_000  # bytes


class MemorySettings(Fact, frozen=True, kw_only=True):
    """The stored settings; None and empty where a key is not there.

    ``reserve_mib``: ``forge_inference_memory``, MiB kept for computing (the card's total less "GPU Weights"). Only the
    web page or a POST to /sdapi/v1/options puts it into force. ``swap_method``: Queue or Async; ``swap_place``: CPU or
    Shared; ``low_bits``: Diffusion in Low Bits; ``preset``: sd, xl, flux or all.
    """

    file: str
    reserve_mib: float | None = None
    swap_method: str = ""
    swap_place: str = ""
    low_bits: str = ""
    preset: str = ""


@collector(MemorySettings, scopes=("live", "preflight"))
def collect(target: Target, install: Install, launch: Launch | None) -> MemorySettings:
    """Read Forge's settings file (config.json, or the one that --ui-settings-file names)."""
    options = launch.effective.options if launch else {}
    base = os.path.join(install.root, str(options.get("data_dir") or ""))
    path = Path(install.root, str(options.get("ui_settings_file") or os.path.join(base, "config.json")))
    try:
        if not path.is_file():
            raise Unavailable(t("there is no settings file {path} yet", path=str(path)))
        with open(path, "rb") as file:
            loaded = json.loads(file.read(LIMIT).decode("utf-8", "replace"))
    except PermissionError:
        raise Unavailable(t("{path} may not be read", path=str(path)), state=State.DENIED) from None
    except (OSError, ValueError, RecursionError):
        raise Unavailable(t("{path} cannot be read as settings", path=str(path))) from None
    if not isinstance(loaded, dict):
        raise Unavailable(t("{path} cannot be read as settings", path=str(path)))
    return settings(str(path), loaded)


def settings(file: str, loaded: dict[str, Any]) -> MemorySettings:
    """The settings of interest among all of them."""
    reserve = loaded.get("forge_inference_memory")
    number = isinstance(reserve, (int, float)) and not isinstance(reserve, bool) and -1e7 < reserve < 1e7
    texts = {
        name: str(loaded.get(key) or "")[:60]
        for name, key in (
            ("swap_method", "forge_async_loading"),
            ("swap_place", "forge_pin_shared_memory"),
            ("low_bits", "forge_unet_storage_dtype"),
            ("preset", "forge_preset"),
        )
    }
    kept = float(reserve) if number and reserve is not None else None
    return MemorySettings(source=file, file=file, reserve_mib=kept, **texts)
