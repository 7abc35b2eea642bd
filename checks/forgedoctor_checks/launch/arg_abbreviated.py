from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Launch


@check("arg-abbreviated", severity=INFO, group="launch")
def arg_abbreviated(launch: Launch) -> Iterator[Finding]:
    """A flag is abbreviated; it is understood today, and --nowebui not even that.

    What happens: --lis is --listen and --po 9999 is --port 9999. But --nowe, though accepted, starts the web UI and
    leaves the API off: the launcher looks for the text --nowebui.
    Why: Python's argparse takes any beginning that fits one flag only. A new version or extension with a flag that
    begins alike makes it "ambiguous", and the start fails.
    Fix: write the flag in full.
    Source: modules/launch_utils.py start ('--nowebui' in sys.argv); argparse allow_abbrev.
    """
    found = launch.effective.abbreviations
    if launch.effective.exit is not None or not found:
        return
    ignored = [one for one in found if one.flag == "--nowebui" and launch.effective.mode == "webui"]
    for one in ignored[:1]:
        yield Finding(
            t("{given} is taken but ignored: the web UI starts and the API stays off.", given=one.given)
            if not launch.effective.api
            else t("{given} is taken but ignored: the web UI starts as well.", given=one.given),
            evidence=[Evidence(t("only the full text --nowebui is looked for when the mode is chosen"), launch.origin)],
            fixes=[fixes.change_flags(launch, rename={one.given: "--nowebui"})],
            severity=WARNING if launch.effective.api else ERROR,
            confidence=CERTAIN,
            explains=["api-flag-missing"],
        )
    rest = {one.given: one.flag for one in found if one not in ignored}
    if rest:
        yield Finding(
            t("Abbreviated flags work only as long as no other flag begins alike."),
            evidence=[Evidence(plain(", ".join(f"{given} = {flag}" for given, flag in rest.items())), launch.origin)],
            fixes=[fixes.change_flags(launch, rename=rest, safety="safe")],
            confidence=CERTAIN,
        )
