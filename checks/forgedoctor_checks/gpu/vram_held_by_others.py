from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, LIKELY, WARNING, Evidence, Finding, Fix, Undecided, check, plain, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, Processes
from forgedoctor.facts.gpu import Card, GpuProcess
from forgedoctor_checks.gpu._cards import called, on_windows, only_answered, only_with_cuda, relevant

_LEAST, _SHARE = 1536, 0.2  # MiB, and part of the card: what a desktop with a browser may hold stays below
# Never to be ended: the desktop itself.
_DESKTOP = (
    "dwm", "explorer", "csrss", "winlogon", "xorg", "xwayland", "gnome-shell", "kwin", "plasmashell", "sddm", "gdm",
    "systemd", "wayfire", "sway", "hyprland", "mutter", "cinnamon", "xfwm4",
)  # fmt: skip


@check("vram-held-by-others", severity=WARNING, group="gpu")
def vram_held_by_others(
    gpus: Gpus, choice: GpuChoice | None, launch: Launch | None, processes: Processes | None, host: Host | None
) -> Iterator[Finding]:
    """Other programs hold a large part of the GPU's memory.

    What happens: models are swapped although they would fit, or "CUDA out of memory" at sizes that used to work.
    Why: another image or language model server, a game, a video editor, a Forge that was not ended.
    Fix: end them, or plan with less memory.
    Source: NVML (memory and running processes). Windows does not tell how much each program holds.
    """
    only_answered(gpus)
    only_with_cuda(launch)
    ours = {one.pid for one in processes.forges} if processes else set()
    if launch and launch.pid:
        ours.add(launch.pid)
    for card in relevant(gpus, choice):
        if card.total_mib is None or card.used_mib is None or card.mig:
            continue
        others = [one for one in card.processes or () if one.pid not in ours and one.parent not in ours]
        held = _held(card, others, bool(ours), gpus.foreign_pids)
        if held is None or held < max(_LEAST, _SHARE * card.total_mib):
            continue
        yield _finding(card, others, held, gpus, host)


def _held(card: Card, others: Sequence[GpuProcess], forge_runs: bool, foreign: bool) -> int | None:
    """MiB that others hold; None where it cannot be told from what Forge holds."""
    named = [one.used_mib for one in others]
    if named and not foreign and all(one is not None for one in named):
        return sum(one for one in named if one is not None)
    if not forge_runs:
        return card.used_mib
    if card.processes is not None and not others and not foreign:
        return 0
    if card.free_mib is not None and card.total_mib and card.free_mib < 0.1 * card.total_mib:
        raise Undecided(
            t(
                "nearly all memory of the {card} is in use, and it is not told how much of that is Forge's",
                card=called(card),
            ),
            t("look at the column of dedicated GPU memory in the Task Manager, or at nvidia-smi on the host"),
        )
    return None


def _finding(card: Card, others: Sequence[GpuProcess], held: int, gpus: Gpus, host: Host | None) -> Finding:
    largest = sorted(others, key=lambda one: -(one.used_mib or 0))
    shown = [] if gpus.foreign_pids else [Evidence(plain(_line(one)), "NVML") for one in largest[:5]]
    known = bool(shown) and all(one.used_mib is not None for one in others)
    if shown and not known:
        shown.append(
            Evidence(
                t("Windows does not tell how much each program holds")
                if on_windows(host)
                else t("how much each program holds is not told")
            )
        )
    elif not shown:
        shown.append(Evidence(t("who holds it is not told here"), "NVML"))
    return Finding(
        t(
            "Other programs hold {held} of the {total} MiB of the {card}.",
            held=held,
            total=card.total_mib,
            card=called(card),
        ),
        evidence=shown,
        fixes=list(_fixes(largest if known else [], host)),
        confidence=CERTAIN if known else LIKELY,
    )


def _line(one: GpuProcess) -> str:
    size = "?" if one.used_mib is None else str(one.used_mib)
    return f"{one.command or one.name or '?'} (pid {one.pid}): {size} MiB"


def _fixes(largest: Sequence[GpuProcess], host: Host | None) -> Iterator[Fix]:
    ended = next((one for one in largest if not one.name.lower().startswith(_DESKTOP)), None)
    if ended:
        yield fixes.stop_process(ended.pid, host)
    elif on_windows(host):
        yield fixes.advise(
            t("In the Task Manager, tab Details, show the column of dedicated GPU memory, and end what is not needed")
        )
    else:
        yield fixes.paste(t("See on the host who holds it:"), "nvidia-smi", host, safety="safe")
