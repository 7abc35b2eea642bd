from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Install, Packages
from forgedoctor.forge.flags import display_name
from forgedoctor.forge.releases import releases


@check("python-unsupported", severity=WARNING, group="install")
def python_unsupported(packages: Packages, install: Install, host: Host | None) -> Iterator[Finding]:
    """The venv's Python is not one that this fork is tested with.

    What happens: a banner "INCOMPATIBLE PYTHON VERSION", and the start goes on; then "Couldn't install torch" or
    another package without a wheel for that Python.
    Why: the pinned packages have wheels for certain Pythons only: 3.10 on Windows for Forge and AUTOMATIC1111.
    Fix: make the venv anew with the right Python.
    Source: modules/launch_utils.py check_python_version of each fork.
    """
    parts = packages.python.split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return
    windows = bool(host and host.system == "windows")
    have = int(parts[0]), int(parts[1])
    known = releases(install.fork)
    if any(one.accepts_python(have, windows=windows) for one in known):
        return
    first, last = known[0].python_windows if windows else known[0].python
    best = "3.10" if first == "3.7" else last
    name = display_name(install.fork)
    anew = t(
        "Install Python {want}, name it in the python_cmd line of webui-user.sh, delete the venv folder, start",
        want=best,
    )
    if windows:
        anew = t(
            "Install Python {want}, name it in the PYTHON line of webui-user.bat, delete the venv folder, start",
            want=best,
        )
    yield Finding(
        t("{fork} is not tested with Python {have}; it wants {want}.", fork=name, have=packages.python, want=best),
        evidence=[Evidence(t("the venv is made with Python {have}", have=packages.python), packages.venv)],
        fixes=[fixes.advise(anew)],
        confidence=CERTAIN,
    )
