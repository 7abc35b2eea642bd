from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, INFO, LIKELY, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch, Packages

_NEEDED = ("torch", "gradio", "fastapi", "pydantic")


@check("packages-missing", severity=INFO, group="install")
def packages_missing(packages: Packages, launch: Launch | None) -> Iterator[Finding]:
    """Packages that Forge needs are not in its venv.

    What happens: the first start downloads them, several gigabytes; with --skip-install it fails with
    ModuleNotFoundError.
    Why: the venv is new, was moved, or an installation broke off.
    Fix: start once without --skip-install, with the network there.
    Source: modules/launch_utils.py prepare_environment.
    """
    missing = [name for name in _NEEDED if name not in packages.packages]
    if not missing:
        return
    skip = bool(launch and launch.given("skip_install", "skip_prepare_environment"))
    fix = fixes.advise(t("Start once with the network there; it installs what is missing"))
    if skip and launch:
        fix = fixes.change_flags(launch, drop=["--skip-install"])
    yield Finding(
        t("Forge's venv lacks {names}.", names=", ".join(missing)),
        evidence=[Evidence(plain(packages.source), packages.venv)],
        fixes=[fix],
        severity=ERROR if skip else INFO,
        confidence=LIKELY,
    )
