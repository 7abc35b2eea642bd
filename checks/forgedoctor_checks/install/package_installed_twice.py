from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Packages
from forgedoctor_checks.install.web_stack_version_mismatch import pip


@check("package-installed-twice", severity=WARNING, group="install")
def package_installed_twice(packages: Packages, host: Host | None) -> Iterator[Finding]:
    """A package has two version records in the venv: an upgrade broke off.

    What happens: imports fail or mix two versions, and pip says that all is well.
    Why: Windows keeps files of a running program in use; pip stopped half-way.
    Fix: with Forge stopped, install that package again.
    Source: two NAME-VERSION.dist-info folders of one name.
    """
    if not packages.doubled:
        return
    wanted = " ".join(f"{name}=={packages.pins[name]}" if name in packages.pins else name for name in packages.doubled)
    command = f"{pip(packages, host)} install --force-reinstall --no-deps {wanted}"
    yield Finding(
        t("An upgrade broke off: {names} is recorded twice.", names=", ".join(packages.doubled)),
        evidence=[Evidence(t("two version records of one name"), packages.source)],
        fixes=[fixes.paste(t("Stop Forge, then install again:"), command, host)],
        confidence=LIKELY,
    )
