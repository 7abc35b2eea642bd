from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import INFO, LIKELY, Evidence, Finding, check, t
from forgedoctor.facts import Host, Packages
from forgedoctor_checks.install._packages import pip


@check("pynvml-outdated", severity=INFO, group="gpu")
def pynvml_outdated(packages: Packages, host: Host | None) -> Iterator[Finding]:
    """Forge's venv holds an old pynvml beside nvidia-ml-py, and hides it.

    What happens: extensions and torch that ask for the GPU's memory or use get wrong figures or errors with newer
    drivers.
    Why: both packages bring a module of the name pynvml; up to version 11 the old one has a folder of that name, which
    Python prefers.
    Fix: remove pynvml, then install nvidia-ml-py again.
    Source: PyPI, pynvml ("deprecated, install nvidia-ml-py") and nvidia-ml-py.
    """
    old, new = packages.packages.get("pynvml"), packages.packages.get("nvidia-ml-py")
    major = re.match(r"\d+", old or "")
    if not new or not major or int(major[0]) > 11:
        return
    command = pip(packages, host)
    lines = f"{command} uninstall -y pynvml && {command} install --force-reinstall --no-deps nvidia-ml-py=={new}"
    yield Finding(
        t("An old pynvml ({old}) hides nvidia-ml-py ({new}) in Forge's venv.", old=old, new=new),
        evidence=[Evidence(t("both packages are installed, and both bring the module pynvml"), packages.source)],
        fixes=[fixes.paste(t("Stop Forge, then remove the old one and install the other again:"), lines, host)],
        confidence=LIKELY,
    )
