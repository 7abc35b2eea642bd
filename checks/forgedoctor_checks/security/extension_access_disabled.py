from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Launch, Transcript

# Older versions misspell the sentence ("disabed because of commandline flags").
_SAID = re.compile(r"extension access dis\w+ because of command ?line flags", re.I)
_CLOSING = ("--listen", "--share", "--ngrok", "--server-name")


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
    said = [line for line in transcript.lines if _SAID.search(line.text)] if transcript else []
    if not said and (transcript is not None or not _off(launch)):
        return
    evidence = [Evidence(plain(line.text.strip()), line.where) for line in said[:2]]
    flags = " ".join(one for one in _CLOSING if launch and launch.given(one[2:].replace("-", "_")))
    if flags and launch:
        evidence.append(Evidence(t("{flags} switches it off", flags=flags), launch.origin))
    way = t("Install in a start without {flags}, or with git into the extensions folder", flags=flags or "--listen")
    yield Finding(
        t("The page cannot install extensions while the server is open to others."),
        evidence=evidence,
        fixes=[fixes.advise(way)],
        severity=ERROR if said else INFO,
        confidence=CERTAIN,
    )


def _off(launch: Launch | None) -> bool:
    if launch is None or not launch.seen or launch.effective.exit is not None:
        return False
    return launch.effective.mode == "webui" and launch.effective.extension_access_disabled
