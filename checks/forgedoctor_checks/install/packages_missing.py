from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, INFO, LIKELY, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch, Packages

_NEEDED = ("torch", "gradio", "fastapi", "pydantic")
_SKIPPING = ("--skip-install", "--skip-prepare-environment")


@check("packages-missing", severity=INFO, group="install")
def packages_missing(packages: Packages, launch: Launch | None) -> Iterator[Finding]:
    """Packages that Forge needs are not in its venv.

    What happens: the first start downloads them, several gigabytes; with --skip-install it fails with
    ModuleNotFoundError (torch alone is installed all the same; --skip-prepare-environment leaves that away too).
    Why: the venv is new, was moved, or an installation broke off.
    Fix: start once without --skip-install, with the network there.
    Source: modules/launch_utils.py prepare_environment.
    """
    missing = [name for name in _NEEDED if name not in packages.packages]
    if not missing:
        return
    fix = fixes.advise(t("Start once with the network there; it installs what is missing"))
    fails = bool(launch) and _stays_missing(launch, missing)
    if fails and launch:
        fix = fixes.change_flags(launch, drop=[f for f in _SKIPPING if launch.given(f[2:].replace("-", "_"))])
    yield Finding(
        t("Forge's venv lacks {names}.", names=", ".join(missing)),
        evidence=[Evidence(plain(packages.source), packages.venv)],
        fixes=[fix],
        severity=ERROR if fails else INFO,
        confidence=LIKELY,
    )


def _stays_missing(launch: Launch | None, missing: list[str]) -> bool:
    if launch is None or launch.running:
        return False
    return launch.given("skip_prepare_environment") or (launch.given("skip_install") and missing != ["torch"])
