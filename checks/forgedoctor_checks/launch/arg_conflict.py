from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.launch._words import shown, stop_note

_GRADIO_3 = ("a1111", "reforge", "classic")  # gradio 4 has a queue whatever the flag says
_EXCLUDE = re.compile(r"argument (--?[\w-]+): not allowed with argument (--?[\w-]+)")


@check("arg-conflict", severity=ERROR, group="launch", explains=["endpoint-unreachable", "server-thread-dead"])
def arg_conflict(launch: Launch) -> Iterator[Finding]:
    """Two flags that are each valid do not go together.

    What happens: "argument X: not allowed with argument Y", status 2 at once; or the page dies with "Progress
    tracking requires queuing to be enabled" (--no-gradio-queue with gradio 3).
    Why: the VRAM, precision and attention flags of the Forge family exclude each other; progress bars need the queue.
    Fix: keep one of the two.
    Source: mutually exclusive groups in backend/args.py and ldm_patched/modules/args_parser.py; gradio blocks.py.
    """
    end = launch.effective.exit
    clash = _EXCLUDE.search(end.message) if end else None
    if clash:
        yield Finding(
            t("{one} and {other} exclude each other: Forge stops at once.", one=clash[2], other=clash[1]),
            evidence=[item for item in (stop_note(launch), shown(launch)) if item],
            fixes=[
                fixes.change_flags(launch, drop=[clash[1]], title=t("Keep {one}:", one=clash[2])),
                fixes.change_flags(launch, drop=[clash[2]], title=t("Or keep {one}:", one=clash[1])),
            ],
            confidence=CERTAIN,
        )
    elif launch.given("no_gradio_queue") and launch.effective.mode == "webui" and _runs_gradio_3(launch):
        yield Finding(
            t("--no-gradio-queue breaks every part of the page that shows a progress bar of gradio's."),
            evidence=[shown(launch)],
            fixes=[fixes.change_flags(launch, drop=["--no-gradio-queue"])],
            severity=WARNING,
            confidence=LIKELY,
        )


def _runs_gradio_3(launch: Launch) -> bool:
    return launch.effective.exit is None and launch.effective.fork in _GRADIO_3
