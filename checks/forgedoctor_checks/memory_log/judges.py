"""Causes of trouble with graphics memory, from the numbers in a log. The pages stand with the checks of group memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor.check import ERROR, LIKELY, POSSIBLE, WARNING, Check, Evidence, Finding, Fix, Undecided, plain, t
from forgedoctor.facts import Transcript
from forgedoctor.facts.memory_log import LowMemory, MemoryLog, OutOfMemory, Setting
from forgedoctor.message import Message
from forgedoctor_checks.memory_log._said import DEFAULT_RESERVE, SAFE, failed, lower_weights, mib, tests_of

_DENOISER = re.compile(r"backend[/\\](?:nn[/\\](?!vae)|sampling|attention|operations)|k_model\.py|sampling_function")
_SMALLER = t(
    "Make the image, the batch or the hires factor smaller, or take a smaller variant of the model (fp8, GGUF, NF4); "
    "Forge: Never OOM with tiled VAE; AUTOMATIC1111: --medvram or --lowvram with --opt-sdp-attention"
)


def _vram_oom(log: MemoryLog, transcript: Transcript) -> Iterator[Finding]:
    found = failed(log)
    if not found or _too_little_kept(log, transcript):
        return
    if _held_by_others(found[-1]):
        return
    worst = max(found, key=lambda one: (one.wanted or 0.0, one.allocated or 0.0))
    if _roomy(worst):
        raise Undecided(
            t(
                "{free} MiB of the card were free when {wanted} MiB could not be had: what stopped it is not the card's size",
                free=mib(worst.free),
                wanted=mib(worst.wanted),
            ),
            t("look at the page file and at what other programs hold, and paste the lines before the error"),
        )
    yield Finding(
        _sentence(worst),
        evidence=[*_distinct(found), *tests_of(log)],
        fixes=[Fix(title=_SMALLER, safety="needs-person")],
        severity=ERROR,
        confidence=LIKELY if worst.kind != "driver" else POSSIBLE,
        explains=("sysmem-fallback-slow", "model-swapping-slow"),
    )


def _weights_too_high(log: MemoryLog, transcript: Transcript) -> Iterator[Finding]:
    setting = _starved(log)
    low = min(log.low, key=lambda one: one.free if one.free is not None else SAFE, default=None)
    squeezed = _too_little_kept(log, transcript)
    if not (setting or low or squeezed):
        return
    reserve = max(log.reserve or DEFAULT_RESERVE, DEFAULT_RESERVE)
    wanted = max((one.wanted or 0.0 for one in squeezed), default=0.0)
    better = _rounded(max(2 * SAFE, reserve + wanted + 512, reserve + SAFE - (low.free or 0.0) if low else 0.0))
    yield Finding(
        _too_high(log, setting, low),
        evidence=[*_settings(setting), *_warned(low), *_distinct(squeezed), *tests_of(log)],
        fixes=[lower_weights(log, better)],
        severity=ERROR,
        confidence=LIKELY if setting or squeezed else POSSIBLE,
        explains=("vram-oom", "sysmem-fallback-slow", "model-swapping-slow"),
    )


def _others_hold_it(log: MemoryLog) -> Iterator[Finding]:
    """The allocator's sentence itself: the card is full, and this process holds the smaller part of it."""
    found = [one for one in failed(log) if _held_by_others(one)]
    if not found:
        return
    one = found[-1]
    template = (
        "Other programs hold {others} MiB of the card's {total}; Forge itself held {own} when it ran out of memory."
    )
    yield Finding(
        t(template, others=mib(_others(one)), total=mib(one.total), own=mib(one.own)),
        evidence=_distinct([one]),
        fixes=[
            Fix(
                title=t(
                    "See with nvidia-smi what runs on the card and end it (another web UI, a game, a model server, a Forge "
                    "that was not closed)"
                ),
                safety="needs-person",
            )
        ],
        severity=ERROR,
        confidence=LIKELY,
        explains=("vram-oom", "gpu-weights-too-high", "vram-not-released"),
    )


def _counted_by_the_api(log: MemoryLog) -> Iterator[Finding]:
    """/sdapi/v1/memory counts what ran out of memory since the start."""
    if log.api is None or not log.api.ooms or failed(log):
        return
    template = (
        "The card ran out of memory {times} times since this process started (at most {peak} of {total} MiB in use)."
    )
    peak, total = mib(log.api.allocated_peak), mib(log.api.total)
    yield Finding(
        t(template, times=log.api.ooms, peak=peak, total=total),
        evidence=[Evidence(t("free now: {free} MiB", free=mib(log.api.free)), log.api.where)],
        fixes=[Fix(title=_SMALLER, safety="needs-person")],
        severity=WARNING,
        confidence=LIKELY,
    )


def _not_released(log: MemoryLog) -> Iterator[Finding]:
    """Images were made, then the same work did not fit; nothing was left to unload."""
    found = failed(log)
    before = [one for one in log.paces if found and one.number < found[0].number and one.steps > 1]
    held = [one for one in log.loads if one.free is not None and found and one.number < found[-1].number]
    if not before or len(held) < 2:
        return
    first, last = held[0], held[-1]
    same = [one for one in held if one.target == last.target and last.target]
    first = same[0] if len(same) > 1 else first
    lost = (first.free or 0.0) - (last.free or 0.0)
    if first.target != last.target or lost < max(1024.0, 0.3 * (first.free or 0.0)) or last.previously:
        return
    yield Finding(
        t(
            "Graphics memory is not given back: {first} MiB were free before {target} was loaded first, {last} MiB later.",
            first=mib(first.free),
            last=mib(last.free),
            target=last.target,
        ),
        evidence=_distinct(found),
        fixes=[
            Fix(
                title=t(
                    "Update the fork (or go back one version), start with --always-offload-from-vram; a restart frees the "
                    "memory for now"
                ),
                safety="needs-person",
            )
        ],
        severity=ERROR,
        confidence=POSSIBLE,
        explains=("vram-oom", "gpu-weights-too-high"),
    )


def _others(one: OutOfMemory) -> float:
    return (one.total or 0.0) - (one.free or 0.0) - (one.own or 0.0)


def _held_by_others(one: OutOfMemory) -> bool:
    told = one.others and one.total is not None and one.free is not None and one.own is not None
    return told and _others(one) > max(2048.0, 0.25 * (one.total or 0.0)) and not _roomy(one)


def _too_little_kept(log: MemoryLog, transcript: Transcript) -> list[OutOfMemory]:
    """Failures in Forge's denoiser that ask for less than what is kept for computing: too little is kept.

    Forge makes room for the weights and the reserve before it begins, so a small piece that cannot be had in the
    middle of it means that the rest of the reserve was used up.
    """
    found = [one for one in failed(log) if one.kind in ("cuda", "hip", "xpu") and not _roomy(one)]
    inside = bool(_DENOISER.search(transcript.text)) or bool(_starved(log)) or bool(log.low)
    room = log.reserve if log.reserve is not None else DEFAULT_RESERVE
    small = [one for one in found if one.wanted is not None and one.wanted < max(room, DEFAULT_RESERVE / 2)]
    return small if inside and (room <= SAFE or _starved(log)) else []


def _starved(log: MemoryLog) -> Setting | None:
    """A setting that leaves less for computing than Forge's own warning allows."""
    for one in reversed(log.settings):
        if one.reserve is None:
            continue
        total = log.vram or (one.weights or 0.0) + one.reserve
        return one if one.reserve < min(512.0, 0.05 * total if total else 512.0) else None
    return None


def _roomy(one: OutOfMemory) -> bool:
    """More was free than asked for, in one card's own words: the card's size is not the cause."""
    return one.free is not None and one.wanted is not None and one.free > 1.5 * one.wanted


def _sentence(one: OutOfMemory) -> Message:
    if one.wanted is None:
        return t("The job needs more graphics memory than the card has.")
    if one.total is None:
        return t(
            "The job needs more graphics memory than the card has: {wanted} MiB more could not be had.",
            wanted=mib(one.wanted),
        )
    template = (
        "The job needs more graphics memory than the card has: of {total} MiB torch held {held}, and {wanted} MiB more could "
        "not be had."
    )
    return t(template, total=mib(one.total), held=mib(one.allocated), wanted=mib(one.wanted))


def _too_high(log: MemoryLog, setting: Setting | None, low: LowMemory | None) -> Message:
    if setting:
        template = "GPU Weights is too high: {weights} MB go to weights, and {reserve} MB stay for computing."
        return t(template, weights=mib(setting.weights), reserve=mib(setting.reserve))
    if low and low.free is not None:
        template = "Too much of the card is given to weights: {free} MiB were free before a step, and Forge wants 1536."
        return t(template, free=mib(low.free))
    return t("Too much of the card is given to weights (GPU Weights), so too little stays for computing.")


def _settings(setting: Setting | None) -> list[Evidence]:
    if setting is None:
        return []
    template = "GPU Weights: {weights} MB for weights, {reserve} MB for computing"
    return [Evidence(t(template, weights=mib(setting.weights), reserve=mib(setting.reserve)), setting.where)]


def _warned(low: LowMemory | None) -> list[Evidence]:
    return (
        [Evidence(t("Forge warned of little free graphics memory: {free} MiB", free=mib(low.free)), low.where)]
        if low
        else []
    )


def _distinct(found: list[OutOfMemory]) -> list[Evidence]:
    seen = {one.text[:120]: one for one in reversed(found)}
    return [Evidence(plain(one.text[:200]), one.where) for one in list(seen.values())[:2]]


def _rounded(value: float) -> float:
    return float(-(-value // 256) * 256)


def checks() -> list[Check]:
    """The judges as further ways of knowing what the checks of these ids know."""
    return [
        Check(_vram_oom, id="vram-oom", severity=ERROR, group="memory"),
        Check(_weights_too_high, id="gpu-weights-too-high", severity=ERROR, group="memory"),
        Check(_counted_by_the_api, id="vram-oom", severity=WARNING, group="memory"),
        Check(_others_hold_it, id="vram-held-by-others", severity=ERROR, group="gpu"),
        Check(_not_released, id="vram-not-released", severity=ERROR, group="memory"),
    ]
