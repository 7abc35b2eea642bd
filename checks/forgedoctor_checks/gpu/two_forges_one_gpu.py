from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, LIKELY, WARNING, Confidence, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import ForgeProcess, Gpus, Host, Processes
from forgedoctor.facts.gpu import Card
from forgedoctor_checks.gpu._cards import called, only_answered

_ON_CPU = {"--always-cpu", "--cpu", "--directml", "--use-ipex"}


@check("two-forges-one-gpu", severity=WARNING, group="gpu")
def two_forges_one_gpu(gpus: Gpus, processes: Processes, host: Host | None) -> Iterator[Finding]:
    """Two Forges share one GPU.

    What happens: each keeps its own copy of the model, the memory is short for both, and neither is faster: they take
    turns in computing.
    Why: one Forge uses a GPU fully. Forge plans with the memory that it sees free, which the other one then takes.
    Fix: one Forge for each GPU; several requests at once belong into one queue.
    Source: one process, one lock (modules/call_queue.py); CUDA time-slices programs.
    """
    only_answered(gpus)
    forges = [one for one in processes.forges if not _ON_CPU & {word.partition("=")[0] for word in one.argv}]
    if len(forges) < 2:
        raise NotApplicable(t("one Forge at most runs here"))
    for card in gpus.alive:
        here = [one for one in forges if not gpus.foreign_pids and _is_on(one, card)]
        if len(here) > 1:
            yield _finding(card, here, host, CERTAIN)
            return
    seen = any(_is_on(one, card) for one in forges for card in gpus.alive)
    if len(gpus.alive) == 1 and gpus.count == 1 and not seen:
        yield _finding(gpus.alive[0], forges, host, LIKELY)


def _is_on(forge: ForgeProcess, card: Card) -> bool:
    return any(forge.pid in (one.pid, one.parent) for one in card.processes or ())


def _finding(card: Card, forges: list[ForgeProcess], host: Host | None, confidence: Confidence) -> Finding:
    shown = [
        Evidence(t("pid {pid} in {folder}", pid=one.pid, folder=one.folder or one.cwd or "?")) for one in forges[:4]
    ]
    return Finding(
        t(
            "{count} Forges share the {card}: each keeps its own copy of the model, and they take turns.",
            count=len(forges),
            card=called(card),
        ),
        evidence=shown,
        fixes=[fixes.stop_process(forges[-1].pid, host)],
        confidence=confidence,
    )
