"""The files that a launch depends on: those its flags name, and the settings file that Forge reads at start."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec

from forgedoctor.fact import Fact, Unavailable, collector
from forgedoctor.facts.install import Install
from forgedoctor.facts.launch import Launch
from forgedoctor.message import t
from forgedoctor.target import Target

# Options that name something to read at start, and whether that is a file or a folder. Source: modules/cmd_args.py.
FILES = ("tls_keyfile", "tls_certfile", "gradio_auth_path", "ckpt")
FOLDERS = (
    "ckpt_dir",
    "vae_dir",
    "lora_dir",
    "embeddings_dir",
    "models_dir",
    "model_ref",
    "data_dir",
    "text_encoder_dir",
)
SETTINGS_LIMIT = 5_000_000  # bytes; a real config.json has a few thousand


class NamedFile(msgspec.Struct, frozen=True):
    """What an option names: ``state`` is there, missing, denied, or other (a file where a folder is wanted)."""

    option: str
    path: str
    folder: bool
    state: str


class NamedFiles(Fact, frozen=True, kw_only=True):
    """``settings`` is the state of config.json: ok, absent, empty, broken, no-object, too-large or denied.

    ``settings_detail`` is what the JSON reader said. ``tmp``: whether the tmp folder is there, to which Forge moves a
    broken settings file.
    """

    named: tuple[NamedFile, ...] = ()
    settings_path: str = ""
    settings: str = "absent"
    settings_detail: str = ""
    tmp: bool = False


@collector(NamedFiles, scopes=("live", "preflight"))
def collect(target: Target, launch: Launch, install: Install) -> NamedFiles:
    """Look whether the named files are there, and whether the settings can be read."""
    root = Path(install.root)
    options = launch.effective.options
    named = [
        NamedFile(option, str(value), option in FOLDERS, state_of(root / str(value), option in FOLDERS))
        for option in (*FILES, *FOLDERS)
        if isinstance(value := options.get(option), str) and value
    ]
    if not root.is_dir():
        raise Unavailable(t("{path} is not there any more", path=str(root)))
    base = root / str(options.get("data_dir") or "")
    settings = root / str(options.get("ui_settings_file") or base / "config.json")
    state, detail = settings_state(settings)
    return NamedFiles(
        source=str(root),
        named=tuple(named),
        settings_path=str(settings),
        settings=state,
        settings_detail=detail,
        tmp=(root / "tmp").is_dir(),
    )


def state_of(path: Path, folder: bool) -> str:
    """there, missing, denied or other; a relative path counts from the Forge folder, where Forge runs."""
    try:
        if not path.exists():
            return "missing"
        if path.is_dir() != folder:
            return "other"
    except OSError:
        return "denied"
    return "there" if os.access(path, os.R_OK) else "denied"


def settings_state(path: Path) -> tuple[str, str]:
    """(state, the JSON reader's words) of a settings file. Source: modules/options.py load."""
    try:
        if path.exists() and not path.is_file():
            return "denied", "not a file"
        with open(path, "rb") as file:
            data = file.read(SETTINGS_LIMIT + 1)
    except FileNotFoundError:
        return "absent", ""
    except OSError as error:
        return "denied", str(error.strerror)
    if len(data) > SETTINGS_LIMIT:
        return "too-large", ""
    if not data.strip():
        return "empty", ""
    try:
        loaded = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return "broken", str(error)[:200]
    return ("ok", "") if isinstance(loaded, dict) else ("no-object", type(loaded).__name__)
