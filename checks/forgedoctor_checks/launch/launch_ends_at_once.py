from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, WARNING, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.launch._words import shown, stop_note

_ENDING = ("--help", "-h", "--exit", "--dump-sysinfo")


@check("launch-ends-at-once", severity=WARNING, group="launch", explains=["endpoint-unreachable"])
def launch_ends_at_once(launch: Launch) -> Iterator[Finding]:
    """The flags ask for something else than a server: help, a dump, an exit after the installation.

    What happens: the program does that and ends with status 0; nothing listens.
    Why: --help, --dump-sysinfo and --exit are meant so. In Forge, --help shows the GPU flags only.
    Fix: drop the flag to start the server.
    Source: launch.py main, modules/launch_utils.py prepare_environment.
    """
    end = launch.effective.exit
    if end is None or end.code != 0:
        return
    yield Finding(
        t("This command line starts no server: {message}.", message=end.message.rstrip(".")),
        evidence=[item for item in (stop_note(launch), shown(launch)) if item],
        fixes=[fixes.change_flags(launch, drop=_ENDING, title=t("To start the server, leave that flag away:"))],
        confidence=CERTAIN,
    )
