"""Which Python, torch and packages each fork is made for.

Source: ``check_python_version`` and ``prepare_environment`` in ``modules/launch_utils.py``, ``check_versions`` in
``modules/errors.py``, ``modules_forge/forge_version.py`` and the requirements files of each fork. Any other Python only
earns a warning at launch; the launch goes on.
"""

from __future__ import annotations

from functools import cache

import msgspec

from forgedoctor.forge.flags import DATA, fork_or_default


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a fork.

    ``version``: what its version file holds. ``commit``: empty for the one that the flags were taken from. ``python``
    and ``python_windows``: the first and last minor release that start without a warning. ``torch``: what it installs;
    ``torch_least``: below this it warns. Empty where not known.
    """

    fork: str
    version: str
    commit: str = ""
    python: tuple[str, str]
    python_windows: tuple[str, str]
    torch: str
    torch_least: str = ""
    gradio: str
    fastapi: str = ""
    pydantic: str = ""

    def accepts_python(self, version: tuple[int, int], *, windows: bool) -> bool:
        """Whether this Python (major, minor) starts it without a warning."""
        first, last = self.python_windows if windows else self.python
        return _minor(first) <= version <= _minor(last)


def _minor(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


@cache
def _all() -> tuple[Release, ...]:
    return msgspec.json.decode((DATA / "releases.json").read_bytes(), type=tuple[Release, ...])


def releases(fork: str) -> tuple[Release, ...]:
    """The known states of a fork; the first is the one that its flags were taken from."""
    return tuple(release for release in _all() if release.fork == fork_or_default(fork))


def release(fork: str) -> Release:
    """The state of a fork that its flags were taken from."""
    return releases(fork)[0]


@cache
def pins(fork: str) -> dict[str, str]:
    """The versions that a fork's requirements pin, by normalised package name (PEP 503). Do not change it."""
    return msgspec.json.decode((DATA / f"pins-{fork_or_default(fork)}.json").read_bytes(), type=dict[str, str])
