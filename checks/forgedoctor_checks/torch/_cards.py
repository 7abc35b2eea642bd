"""What the checks of torch share: the cards that Forge may get, and whether torch has code for them."""

from __future__ import annotations

from typing import NamedTuple

from forgedoctor.check import Evidence, NotApplicable, Undecided, plain, t
from forgedoctor.facts import Host, Launch
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.torch import Torch
from forgedoctor.gpu import cards, matrix
from forgedoctor.gpu.matrix import Answer

UNSEEN = t("the GPU could not be asked")
LOOK = t("run forgedoctor where Forge runs, as its user, with the NVIDIA driver loaded")


class Used(NamedTuple):
    """A card that Forge may get. ``seen``: the driver named it, and not only a record of the system."""

    name: str
    capability: tuple[int, int] | None
    seen: bool


def cpu_only(launch: Launch | None) -> bool:
    """Whether the launch asks for the processor instead of a GPU."""
    if launch is None:
        return False
    wide = launch.effective.options.get("use_cpu")
    all_of_it = (
        launch.effective.fork == "a1111" and bool(wide) and "all" in (wide if isinstance(wide, list) else [wide])
    )
    return launch.given("always_cpu", "cpu") or all_of_it


def system_of(torch: Torch, host: Host | None) -> str:
    """The system of the wheel, else the host's; empty where neither is known."""
    return torch.system or (host.system if host else "")


def driver_system(torch: Torch, host: Host | None) -> str:
    """Whose driver numbers count: under WSL they are those of Windows."""
    return "windows" if host and host.wsl else system_of(torch, host)


def used(gpus: Gpus | None, choice: GpuChoice | None) -> list[Used]:
    """The NVIDIA card that Forge gets, or all that it may get. Raises Undecided where the driver could not be asked."""
    if gpus is None:
        raise Undecided(UNSEEN, LOOK)
    known = list(gpus.alive)
    if choice and known and choice.pick.outcome == "none":
        raise NotApplicable(t("no card is left for Forge"))
    if choice and choice.index is not None:
        known = [one for one in known if one.index == choice.index] or known
    if known:
        return [Used(one.name, one.capability or cards.capability(one.name), True) for one in known]
    named = [one for one in gpus.of_vendor("nvidia") if one.name]
    return [Used(one.name, cards.capability(one.name), False) for one in named]


def judged(torch: Torch, gpus: Gpus | None, choice: GpuChoice | None, host: Host | None) -> list[tuple[Used, Answer]]:
    """For each card that Forge may get, whether torch has code for it. Raises Undecided where that cannot be told."""
    if not torch.tag:
        raise Undecided(
            t("which CUDA torch was built for could not be read"),
            t("run in Forge's Python: import torch; print(torch.__version__, torch.cuda.get_arch_list())"),
        )
    system, machine = system_of(torch, host), torch.machine or "x86_64"
    found = []
    for card in used(gpus, choice):
        if card.capability is None:
            raise Undecided(t("the CUDA capability of {card} is not known", card=card.name or "?"), LOOK)
        found.append((card, matrix.runs_on(torch.full, torch.tag, card.capability, system, machine)))
    return found


def refused(
    why: str, torch: Torch, gpus: Gpus | None, choice: GpuChoice | None, host: Host | None, launch: Launch | None
) -> tuple[Used, Answer] | None:
    """The card that torch has no code for, for that reason; None where there is none.

    Raises NotApplicable where no CUDA is used, Undecided where it depends on which card Forge gets.
    """
    if torch.backend != "cuda" or cpu_only(launch):
        raise NotApplicable(t("Forge does not use CUDA here"))
    answers = judged(torch, gpus, choice, host)
    bad = [one for one in answers if one[1].verdict == "no"]
    if bad and len(bad) < len(answers):
        raise Undecided(
            t(
                "torch {build} has no code for {card}, and which card Forge gets is not known",
                build=torch.full,
                card=bad[0][0].name,
            ),
            t("say which with --gpu-device-id, or with CUDA_VISIBLE_DEVICES"),
        )
    unknown = next((answer for _, answer in answers if answer.verdict == "unknown"), None)
    if unknown:
        raise Undecided(unknown.reason, t("run in Forge's Python: import torch; print(torch.cuda.get_arch_list())"))
    return next((one for one in bad if one[1].why == why), None)


def evidence(torch: Torch, card: Used, answer: Answer) -> list[Evidence]:
    """What was seen of torch and of the card."""
    shown = ".".join(map(str, card.capability or ()))
    source = "NVML" if card.seen else ""
    return [
        Evidence(t("{card} has CUDA capability {capability}", card=card.name, capability=shown), source),
        Evidence(
            t("torch {build} has code for: {list}", build=torch.full, list=", ".join(answer.architectures)),
            torch.told_by,
        ),
        Evidence(t("by the table of published builds of {date}", date=plain(str(matrix.as_of())))),
    ]
