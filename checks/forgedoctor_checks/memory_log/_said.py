"""Words and numbers that the judges of a memory log share."""

from __future__ import annotations

from forgedoctor.check import Evidence, Fix, t
from forgedoctor.facts.memory_log import Load, MemoryLog, OutOfMemory
from forgedoctor.message import Message

SAFE = 1536.0  # MiB free below which Forge warns at every step. Source: backend/sampling/sampling_function.py
DEFAULT_RESERVE = 1024.0  # MiB that Forge keeps for computing unless told otherwise
ON_THE_CARD = ("cuda", "hip", "xpu", "directml", "a1111", "driver")


def mib(value: float | None) -> str:
    """A number of MiB for people."""
    return "?" if value is None else f"{value:.0f}"


def failed(log: MemoryLog) -> list[OutOfMemory]:
    """The failures that speak of the card's memory."""
    return [one for one in log.failures if one.kind in ON_THE_CARD]


def fit_of(load: Load) -> Message:
    """Forge's fit test as a sentence."""
    template = "{target}: {free} MiB free, {require} to load, {reserve} kept for computing, {remaining} left over"
    return t(
        template,
        target=load.target or t("the model"),
        free=mib(load.free),
        require=mib(load.require),
        reserve=mib(load.inference),
        remaining=mib(load.remaining),
    )


def tests_of(log: MemoryLog) -> list[Evidence]:
    """The tightest fit test of the log as evidence; empty where the log has none with numbers."""
    known = [one for one in log.loads if one.remaining is not None and (one.require or one.previously)]
    tight = min(known, key=lambda one: one.remaining or 0.0, default=None)
    return [Evidence(fit_of(tight), tight.where)] if tight else []


def lower_weights(log: MemoryLog, reserve: float) -> Fix:
    """Keep ``reserve`` MiB for computing: on the page, and through the API."""
    total = log.vram or next((one.weights + one.reserve for one in log.settings if one.weights and one.reserve), None)
    if total is None:
        title = t(
            'Lower GPU Weights on the page until {reserve} MB are left; API: POST {{"forge_inference_memory": {reserve}}} '
            "to /sdapi/v1/options (not in override_settings; a value that is stored already does nothing)",
            reserve=mib(reserve),
        )
    else:
        title = t(
            'Set GPU Weights to {weights} MB on the page; API: POST {{"forge_inference_memory": {reserve}}} to '
            "/sdapi/v1/options (not in override_settings; a value that is stored already does nothing)",
            weights=mib(max(0.0, total - reserve)),
            reserve=mib(reserve),
        )
    return Fix(title=title, safety="needs-person")
