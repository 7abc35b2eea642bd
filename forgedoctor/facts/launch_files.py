"""The launcher files of a Forge: what each sets, and what the variables are when Python starts."""

from __future__ import annotations

import sys
from pathlib import Path

from forgedoctor.fact import Fact, collector
from forgedoctor.facts.host import Host
from forgedoctor.facts.install import Install
from forgedoctor.forge.scripts import Script, final, read_script
from forgedoctor.target import Target

# In the order in which the shell runs them. Sources: webui-user.bat calls webui.bat, which calls webui.settings.bat
# before its own defaults; webui.sh sources webui-macos-env.sh (macOS), then webui-user.sh.
ORDER = {
    "windows": ("environment.bat", "webui-user.bat", "webui.settings.bat"),
    "macos": ("webui-macos-env.sh", "webui-user.sh"),
    "linux": ("webui-user.sh",),
}
LIMIT = 1_000_000


class LaunchFiles(Fact, frozen=True, kw_only=True):
    """The launcher files that this system reads (``scripts``), those it does not (``unread``), and the outcome.

    ``variables`` maps a name to its final value and the file and line that set it.
    """

    scripts: tuple[Script, ...] = ()
    unread: tuple[Script, ...] = ()
    variables: dict[str, tuple[str, str]] = {}
    failed: tuple[str, ...] = ()

    def value(self, name: str) -> str:
        """The final value of a variable, empty where no file sets it."""
        return self.variables.get(name, ("", ""))[0]


def system_of(host: Host | None) -> str:
    """linux, macos or windows: the host's word, else this Python's."""
    if host and host.system:
        return host.system
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")


@collector(LaunchFiles, scopes=("live", "preflight"))
def collect(target: Target, install: Install, host: Host | None) -> LaunchFiles:
    """Read the launcher files in the folder of the Forge (and of the one-click package around it)."""
    system = system_of(host)
    root = Path(install.root)
    read: dict[str, Script] = {}
    failed = []
    for name in ("environment.bat", "webui-user.bat", "webui.settings.bat", "webui-macos-env.sh", "webui-user.sh"):
        path = root.parent / name if name == "environment.bat" else root / name
        try:
            if path.exists() and not path.is_file():
                failed.append(f"{name}: not a file")
                continue
            with open(path, "rb") as file:
                read[name] = read_script(name, file.read(LIMIT + 1), limit=LIMIT)
        except FileNotFoundError:
            continue
        except OSError as error:
            failed.append(f"{name}: {error.strerror}")
    scripts = tuple(read[name] for name in ORDER[system] if name in read)
    return LaunchFiles(
        source=str(root),
        scripts=scripts,
        unread=tuple(script for name, script in read.items() if name not in ORDER[system]),
        variables=final(scripts, {}),
        failed=tuple(failed),
    )
