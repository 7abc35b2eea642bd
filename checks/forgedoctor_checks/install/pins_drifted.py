from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, plain, t
from forgedoctor.facts import Packages
from forgedoctor_checks.install._packages import STACK, same_version


@check("pins-drifted", severity=INFO, group="install")
def pins_drifted(packages: Packages) -> Iterator[Finding]:
    """Other packages differ from the versions that this checkout pins.

    What happens: mostly nothing; when something odd happens later, this is the first place to look.
    Why: extensions install their own requirements into Forge's venv.
    Fix: start Forge once without --skip-install; it installs what is pinned where it notices.
    Source: requirements_versions.txt of the checkout against the names in site-packages.
    """
    drifted = [
        f"{name} {packages.packages[name]} (pinned {pin})"
        for name, pin in sorted(packages.pins.items())
        if name not in STACK and name in packages.packages and not same_version(packages.packages[name], pin)
    ]
    if not drifted:
        return
    again = t(
        "If something is odd: start Forge once without --skip-install, or delete its venv folder and let it be made again"
    )
    yield Finding(
        t("{count} packages differ from the pinned versions.", count=len(drifted))
        if len(drifted) > 1
        else t("One package differs from its pinned version."),
        evidence=[Evidence(plain(", ".join(drifted[:12]) + (" …" if len(drifted) > 12 else "")), packages.venv)],
        fixes=[fixes.advise(again)],
        confidence=CERTAIN,
    )
