from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, Evidence, Finding, check, plain, t
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
    for one in found:
        if one.flag == "--nowebui" and launch.effective.mode == "webui":
            yield Finding(
                t("{given} is taken but ignored: the web UI starts and the API stays off.", given=one.given),
                evidence=[Evidence(t("only the full text --nowebui is looked for when the mode is chosen"), launch.origin)],
                fixes=[fixes.change_flags(launch, drop=[one.given], add=["--nowebui"])],
                severity=ERROR,
                confidence=CERTAIN,
            )
    rest = [one for one in found if one.flag != "--nowebui"]
    if rest:
        text = ", ".join(f"{one.given} = {one.flag}" for one in rest)
        yield Finding(
            t("Abbreviated flags work only as long as no other flag begins alike."),
            evidence=[Evidence(plain(text), launch.origin)],
            fixes=[fixes.change_flags(launch, drop=[one.given for one in rest], add=[_full(launch, one.given, one.flag) for one in rest])],
            confidence=CERTAIN,
        )


def _full(launch: Launch, given: str, full: str) -> str:
    words = launch.effective.argv
    for first, second in zip(words, [*words[1:], ""], strict=False):
        if first == given and second and not second.startswith("-"):
            return f"{full} {second}"
        if first.startswith(given + "="):
            return full + first[len(given) :]
    return full
