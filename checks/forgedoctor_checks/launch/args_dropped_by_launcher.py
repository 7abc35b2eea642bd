from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, check, plain, t
from forgedoctor.facts import Transcript

_CALL = re.compile(r"\bwebui-user\.bat[\"']?\s+(--?[a-z].*)$", re.IGNORECASE)


@check("args-dropped-by-launcher", severity=ERROR, group="launch", explains=["api-flag-missing", "listen-missing"])
def args_dropped_by_launcher(transcript: Transcript) -> Iterator[Finding]:
    """Flags typed after webui-user.bat are dropped.

    What happens: webui-user.bat --api starts without --api; "Launching Web UI with arguments:" is empty.
    Why: webui-user.bat calls webui.bat without handing its own arguments on, and first empties COMMANDLINE_ARGS.
    Fix: write the flags after set COMMANDLINE_ARGS= in webui-user.bat, or call webui.bat with them.
    Source: webui-user.bat, webui.bat of Forge.
    """
    for line in transcript.lines:
        match = _CALL.search(line.text)
        if match:
            flags = match[1].strip().strip("\"'`")
            yield Finding(
                t("webui-user.bat hands no arguments on: {flags} never reach Forge.", flags=flags),
                evidence=[Evidence(plain(line.text.strip()[:200]), line.where)],
                fixes=[fixes.paste(t("In webui-user.bat write:"), f"set COMMANDLINE_ARGS={flags}")],
                confidence=CERTAIN,
            )
            return
