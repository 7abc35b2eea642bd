from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Finding, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.launch._words import shown, stop_note

_GRADIO_3 = ("a1111", "reforge", "classic")  # gradio 4 has a queue whatever the flag says


@check("arg-conflict", severity=ERROR, group="launch", explains=["endpoint-unreachable", "server-thread-dead"])
def arg_conflict(launch: Launch) -> Iterator[Finding]:
    """Two flags that are each valid do not go together.

    What happens: "argument X: not allowed with argument Y", status 2 at once; or the web UI dies with "Progress
    tracking requires queuing to be enabled" (--no-gradio-queue).
    Why: the VRAM, precision and attention flags of the Forge family exclude each other; the web UI needs its queue.
    Fix: keep one of the two.
    Source: mutually exclusive groups in backend/args.py and ldm_patched/modules/args_parser.py; gradio blocks.py.
    """
    end = launch.effective.exit
    if end and "not allowed with" in end.message:
        yield Finding(
            t("Two launch flags exclude each other: {message}.", message=end.message.rstrip(".")),
            evidence=[item for item in (stop_note(launch), shown(launch)) if item],
            fixes=[fixes.advise(t("Keep one of the two: {message}", message=end.message))],
            confidence=CERTAIN,
        )
    elif launch.given("no_gradio_queue") and launch.effective.mode == "webui" and end is None and launch.effective.fork in _GRADIO_3:
        yield Finding(
            t("--no-gradio-queue breaks the web UI: its progress bars need the queue."),
            evidence=[shown(launch)],
            fixes=[fixes.change_flags(launch, drop=["--no-gradio-queue"])],
            severity=WARNING,
            confidence=LIKELY,
        )
