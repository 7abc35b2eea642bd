from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Launch, Transcript


@check("extension-access-disabled", severity=INFO, group="security")
def extension_access_disabled(launch: Launch | None, transcript: Transcript | None) -> Iterator[Finding]:
    """Extensions cannot be installed from the page, because the server is open to others.

    What happens: "AssertionError: extension access disabled because of command line flags".
    Why: --listen, --share, --ngrok and --server-name (even 127.0.0.1) switch it off: an extension is a program.
    Fix: install it in a start without these flags, or with git into extensions/.
    Source: modules/shared_cmd_options.py; modules/ui_extensions.py check_access.
    """
    if launch is None and transcript is None:
        raise NotApplicable(t("no command line was seen"))
    said = [line for line in transcript.lines if "extension access dis" in line.text and "because of command" in line.text] if transcript else []
    off = bool(launch and launch.seen and launch.effective.exit is None and launch.effective.extension_access_disabled)
    if not said and (not off or transcript is not None):
        return
    evidence = [Evidence(plain(line.text.strip()), line.where) for line in said[:2]]
    flags = [one for one in ("--listen", "--share", "--ngrok", "--server-name") if launch and launch.given(one[2:].replace("-", "_"))]
    if flags and launch:
        evidence.append(Evidence(t("{flags} switches it off", flags=" ".join(flags)), launch.origin))
    yield Finding(
        t("The page cannot install extensions while the server is open to others."),
        evidence=evidence,
        fixes=[fixes.advise(t("Install in a start without {flags}, or with git into the extensions folder", flags=" ".join(flags) or "--listen"))],
        severity=ERROR if said else INFO,
        confidence=CERTAIN,
    )
