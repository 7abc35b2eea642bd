from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import LIKELY, WARNING, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Host, Packages
from forgedoctor_checks.install._packages import pip


@check("package-installed-twice", severity=WARNING, group="install")
def package_installed_twice(packages: Packages, host: Host | None) -> Iterator[Finding]:
    """A package has two version records in the venv: an upgrade broke off.

    What happens: imports fail or mix two versions, and pip says that all is well.
    Why: Windows keeps files of a running program in use; pip stopped half-way.
    Fix: with Forge stopped, install that package again.
    Source: two NAME-VERSION.dist-info folders of one name.
    """
    names = ", ".join(packages.doubled)
    if packages.doubled:
        yield Finding(
            t("An upgrade broke off: {names} is recorded twice.", names=names)
            if len(packages.doubled) == 1
            else t("An upgrade broke off: {names} are recorded twice.", names=names),
            evidence=[Evidence(t("two version records of one name"), packages.source)],
            fixes=list(_fixes(packages, host)),
            confidence=LIKELY,
        )


def _fixes(packages: Packages, host: Host | None) -> Iterator[Fix]:
    """Forge installs torch itself: the one on PyPI is another build."""
    others = [name for name in packages.doubled if not name.startswith("torch")]
    if others:
        wanted = " ".join(f"{name}=={packages.pins[name]}" if name in packages.pins else name for name in others)
        command = f"{pip(packages, host)} install --force-reinstall --no-deps {wanted}"
        yield fixes.paste(t("Stop Forge, then install again:"), command, host)
    if len(others) < len(packages.doubled):
        yield fixes.advise(t("Start Forge once with --reinstall-torch, which installs the right build of torch again"))
