from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Transcript
from forgedoctor.facts.transcript import Line

_WORKER = re.compile(r"^Exception in thread .*\((?:webui_worker|api_only_worker)\)")
_FRAME = re.compile(r'^\s*File "[^"]*[/\\]extensions[/\\](?P<name>[^"/\\]+)[/\\][^"]*", line \d+')
_CALLBACK = re.compile(
    r"rror executing callback app_started_callback for \S*[/\\]extensions[/\\](?P<name>[^/\\]+)[/\\]"
)
_LONGEST = 400  # lines of one traceback


@check("extension-interferes", severity=ERROR, group="log", explains=["server-thread-dead", "server-half-dead"])
def extension_interferes(transcript: Transcript) -> Iterator[Finding]:
    """An extension, or a module that it loads, breaks the launch or the routes.

    What happens: the usage text of a foreign parser (usage: launch.py [-h] [--source SOURCE]); a traceback that
    goes through extensions/ while the app starts; routes that are missing although the flags are right.
    Why: extensions run inside the program, and some parse the command line themselves. One that raises in ui() ends
    the thread that makes the API; one that only fails to load, or in its own callback, ends nothing but itself.
    Fix: --disable-all-extensions; if it starts then, find the one, update or remove it.
    Source: modules/script_loading.py, script_callbacks.app_started_callback; recorded starts.
    """
    for number, line in enumerate(transcript.lines):
        if _WORKER.match(line.text):
            frame = _last_frame(transcript.lines[number + 1 : number + 1 + _LONGEST])
            if frame:
                yield _broken(frame, line)
                return
    for line in transcript.lines:
        match = _CALLBACK.search(line.text)
        if match:
            yield Finding(
                t("The routes that the extension {name} adds are missing: its start failed.", name=match["name"]),
                evidence=[Evidence(plain(line.text.strip()[:300]), line.where)],
                fixes=[fixes.advise(t("Update or remove the extension {name}", name=match["name"]))],
                severity=WARNING,
                confidence=CERTAIN,
            )
            return


def _last_frame(lines: Sequence[Line]) -> Line | None:
    """The extension's line in the traceback that begins here."""
    found = None
    for line in lines:
        if re.match(r"[\w.]+(?:Error|Exception|Exit|Interrupt)\b", line.text):
            return found
        found = line if _FRAME.match(line.text) else found
    return found


def _broken(frame: Line, thread: Line) -> Finding:
    match = _FRAME.match(frame.text)
    name = match["name"] if match else ""
    return Finding(
        t("The extension {name} breaks the start: the thread that makes the API ends in it.", name=name),
        evidence=[
            Evidence(plain(frame.text.strip()[:300]), frame.where),
            Evidence(plain(thread.text.strip()[:200]), thread.where),
        ],
        fixes=[
            fixes.advise(t("Update or remove extensions/{name}, then restart Forge", name=name)),
            fixes.advise(t("To be sure that it is the one: start with --disable-all-extensions")),
        ],
        confidence=CERTAIN,
    )
