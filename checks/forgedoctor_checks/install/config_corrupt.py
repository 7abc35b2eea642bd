from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, NamedFiles

_WHAT = {
    "empty": t("it is empty"),
    "broken": t("it is no valid JSON"),
    "no-object": t("it holds something else than settings"),
}


@check("config-corrupt", severity=WARNING, group="install", explains=["server-thread-dead", "endpoint-unreachable"])
def config_corrupt(files: NamedFiles, host: Host | None) -> Iterator[Finding]:
    """config.json, the settings of Forge, is damaged.

    What happens: it is moved to tmp/config.json and the defaults are used: models, VAE and paths are forgotten. Without
    a tmp folder the start ends with FileNotFoundError; a file that holds a list ends it with AttributeError.
    Why: a crash or a full disk while it was written, or a slip while it was edited by hand.
    Fix: repair the file, or put it aside.
    Source: modules/options.py load; recorded starts with cut, empty and wrong settings.
    """
    if files.settings not in _WHAT:
        return
    ends = files.settings == "no-object" or not files.tmp
    summary = t("config.json is damaged ({what}): Forge will start with default settings.", what=_WHAT[files.settings])
    if ends:
        summary = t("config.json is damaged ({what}), which ends the start.", what=_WHAT[files.settings])
    said = (
        [Evidence(t("reading it says: {why}", why=files.settings_detail), files.settings_path)]
        if files.settings_detail
        else []
    )
    move = f'move "{files.settings_path}" "{files.settings_path}.damaged"'
    if not (host and host.system == "windows"):
        move = f"mv '{files.settings_path}' '{files.settings_path}.damaged'"
    yield Finding(
        summary,
        evidence=said or [Evidence(_WHAT[files.settings], files.settings_path)],
        fixes=[fixes.paste(t("Put it aside (Forge makes a new one), or repair it with an editor:"), move, host)],
        severity=ERROR if ends else WARNING,
        confidence=CERTAIN,
    )
