from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.security._open import exposed, why


@check("extension-access-open", severity=WARNING, group="security")
def extension_access_open(launch: Launch) -> Iterator[Finding]:
    """Others may install extensions, which is to run any program on this machine.

    What happens: whoever reaches the page installs an extension from any address, and its code runs as you. Miners
    came in this way.
    Why: --enable-insecure-extension-access, or GRADIO_SERVER_NAME in place of --listen, which does not close it.
    Fix: drop the flag; install extensions in a start without --listen.
    Source: modules/shared_cmd_options.py disable_extension_access, modules/ui_extensions.py check_access.
    """
    if not exposed(launch) or launch.effective.mode != "webui" or launch.effective.extension_access_disabled:
        return
    evidence = [why(launch)]
    fix = fixes.change_flags(launch, drop=["--enable-insecure-extension-access"])
    if not launch.given("enable_insecure_extension_access"):
        evidence.append(Evidence(t("GRADIO_SERVER_NAME opens it, which unlike --listen does not close the extensions")))
        fix = fixes.change_flags(launch, add=["--listen"], title=t("Say it with --listen, which closes them:"))
    summary = t("Anyone who reaches the page can install extensions, and so run programs on this machine.")
    if launch.given("gradio_auth", "gradio_auth_path"):
        summary = t("Anyone with the page's password can install extensions, and so run programs on this machine.")
    yield Finding(summary, evidence=evidence, fixes=[fix], confidence=CERTAIN)
