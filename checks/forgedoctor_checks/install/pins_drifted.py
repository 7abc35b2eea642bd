from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, plain, t
from forgedoctor.facts import Packages
from forgedoctor_checks.install.web_stack_version_mismatch import STACK


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
        if name not in STACK and name in packages.packages and packages.packages[name].split("+")[0] != pin
    ]
    if drifted:
        yield Finding(
            t("{count} packages differ from the pinned versions.", count=len(drifted)),
            evidence=[Evidence(plain(", ".join(drifted[:12]) + (" …" if len(drifted) > 12 else "")), packages.venv)],
            fixes=[fixes.advise(t("If something is odd: start Forge once without --skip-install, or delete its venv folder and let it be made again"))],
            confidence=CERTAIN,
        )
