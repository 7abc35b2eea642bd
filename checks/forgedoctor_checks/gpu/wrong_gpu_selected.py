from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import (
    CERTAIN,
    ERROR,
    LIKELY,
    WARNING,
    Confidence,
    Evidence,
    Finding,
    Message,
    Undecided,
    check,
    t,
)
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch
from forgedoctor.facts.gpu import Card
from forgedoctor_checks.gpu._cards import called, commands, on_windows, only_answered, only_with_cuda

_LARGER = 1.25  # a card counts as larger from a quarter more memory on


@check("wrong-gpu-selected", severity=ERROR, group="gpu")
def wrong_gpu_selected(gpus: Gpus, choice: GpuChoice, launch: Launch, host: Host | None) -> Iterator[Finding]:
    """Forge gets another GPU than the one meant, or none of those that are there.

    What happens: "Device: cuda:0" names another card, or torch sees no GPU; "Invalid device string: 'cuda:0,1'".
    Why: CUDA_VISIBLE_DEVICES or the flag names a card that does not exist, or is misspelt. Numbers are CUDA's, which
    counts from the fastest card on, while nvidia-smi counts by slot.
    Fix: name the card by its UUID, or set CUDA_DEVICE_ORDER=PCI_BUS_ID beside the number. One process uses one card.
    Source: CUDA C++ Programming Guide, environment variables; modules_forge/initialization.py (--gpu-device-id).
    """
    only_answered(gpus)
    only_with_cuda(launch)
    for name, value, where in choice.slips:
        yield Finding(
            t("{name} is no variable that CUDA knows: is CUDA_VISIBLE_DEVICES meant?", name=name),
            evidence=[Evidence(t("{name} is {value}", name=name, value=f'"{value}"'), where)],
            fixes=[commands(t("Write it so:"), [_set(host, "CUDA_VISIBLE_DEVICES", value)], host)],
            severity=WARNING,
            confidence=LIKELY,
        )
    if choice.pick.outcome == "none" and gpus.cards:
        yield _none(gpus, choice, launch, host)
    elif len(gpus.alive) > 1:
        yield from _another(gpus, choice, launch, host)


def _none(gpus: Gpus, choice: GpuChoice, launch: Launch, host: Host | None) -> Finding:
    """The choice leaves no card."""
    by_flag = bool(choice.flag)
    what = f"{choice.flag} {choice.flag_value}" if by_flag else f"CUDA_VISIBLE_DEVICES={choice.visible}"
    remedy = (
        fixes.change_flags(
            launch, drop=[choice.flag], title=t("Drop {flag}; Forge then takes the first card:", flag=choice.flag)
        )
        if by_flag
        else commands(
            t("Choose this card by its UUID, where CUDA_VISIBLE_DEVICES is set:"),
            [_set(host, "CUDA_VISIBLE_DEVICES", _name(gpus.cards[0]))],
            host,
        )
    )
    return Finding(
        t("{what} leaves Forge without a GPU: {why}.", what=what, why=_why(choice, len(gpus.cards))),
        evidence=[
            Evidence(t("the machine has: {cards}", cards=", ".join(called(one) for one in gpus.cards)), "NVML"),
            Evidence(t("set in {where}", where=launch.origin if by_flag else choice.visible_from or "?")),
        ],
        fixes=[remedy],
        confidence=CERTAIN,
    )


def _why(choice: GpuChoice, count: int) -> Message:
    why, entry = choice.pick.why, choice.pick.entry
    if why == "no-such-number":
        return t("there is no card {entry}, the last one is {last}", entry=entry, last=count - 1)
    if why == "no-such-uuid":
        return t("no card has the UUID {entry}", entry=entry)
    if why == "ambiguous":
        return t("several cards have a UUID that begins with {entry}", entry=entry)
    if why == "repeated":
        return t("{entry} is there twice", entry=entry)
    if why == "hidden":
        return t("it hides every card")
    return t("{entry} is no number of a card", entry=f'"{entry}"')


def _another(gpus: Gpus, choice: GpuChoice, launch: Launch, host: Host | None) -> Iterator[Finding]:
    """A card is left; it may be another than the one meant."""
    asked = choice.flag_value if choice.flag else choice.visible
    got = next((one for one in gpus.alive if one.index == choice.index), None)
    largest = max(gpus.alive, key=lambda one: one.total_mib or 0)
    if (
        asked
        and asked.isdecimal()
        and choice.seen_on
        and got
        and int(asked) != got.index
        and choice.pick.why == "by-speed"
    ):
        meant = next((one for one in gpus.alive if one.index == int(asked)), None)
        if meant and meant.name != got.name:
            template = (
                "Forge runs on the {got}; number {asked} is the {meant} for nvidia-smi, and another one for CUDA."
            )
            yield _finding(t(template, got=called(got), asked=asked, meant=called(meant)), meant, choice, host, LIKELY)
    elif not asked and got and (largest.total_mib or 0) > _LARGER * (got.total_mib or largest.total_mib or 0):
        template = "Forge uses the {got}, and the {larger} has more memory."
        yield _finding(t(template, got=called(got), larger=called(largest)), largest, choice, host, CERTAIN)
    elif got is None and choice.pick.outcome == "unknown":
        raise Undecided(
            t("which of the cards is CUDA's first is not known: CUDA counts them by speed, nvidia-smi by slot"),
            t("set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the card by its UUID in CUDA_VISIBLE_DEVICES"),
        )


def _finding(summary: Message, card: Card, choice: GpuChoice, host: Host | None, confidence: Confidence) -> Finding:
    shown = []
    if choice.visible is not None:
        shown.append(
            Evidence(
                t("{name} is {value}", name="CUDA_VISIBLE_DEVICES", value=f'"{choice.visible}"'), choice.visible_from
            )
        )
    if choice.seen_on:
        shown.append(Evidence(t("Forge's process is seen on that card"), "NVML"))
    title = t("Choose the {card} by its UUID, before Forge is started:", card=called(card))
    if choice.flag:
        title = t(
            "Drop {flag}, and choose the {card} by its UUID before Forge is started:",
            flag=choice.flag,
            card=called(card),
        )
    fix = commands(title, [_set(host, "CUDA_VISIBLE_DEVICES", _name(card))], host)
    return Finding(summary, evidence=shown, fixes=[fix], severity=WARNING, confidence=confidence)


def _name(card: Card) -> str:
    return card.uuid or str(card.index)


def _set(host: Host | None, name: str, value: str) -> str:
    return f"set {name}={value}" if on_windows(host) else f"export {name}={value}"
