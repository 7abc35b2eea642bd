from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, INFO, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import Launch, MemorySettings
from forgedoctor.memory.arithmetic import RESERVE
from forgedoctor_checks.memory._planned import OWN_MANAGER, weights_fix


@check("gpu-weights-not-applied", severity=INFO, group="memory")
def gpu_weights_not_applied(launch: Launch, stored: MemorySettings) -> Iterator[Finding]:
    """The stored "GPU Weights" are not in force: without the page Forge keeps 1024 MB for computing.

    What happens: the same job works in the page and runs out of memory, or swaps otherwise, through the API.
    Why: Forge does not read forge_inference_memory when it starts. Opening the page puts it into force, and so does a POST
    to /sdapi/v1/options; with --nowebui there is no page. To post the value that is stored already changes nothing.
    Fix: after each start post another value, then the wanted one; "[GPU Setting]" in the log proves it.
    Source: modules_forge/main_entry.py of Forge (the page's load event and the option's callback).
    """
    if launch.effective.fork not in OWN_MANAGER:
        raise NotApplicable(t("this fork has another memory manager"))
    if launch.effective.exit is not None or launch.effective.mode != "api-only":
        raise NotApplicable(t("there is a page, which puts the setting into force when it is opened"))
    value = stored.reserve_mib
    if value is None or int(value) == int(RESERVE):
        return
    template = "{reserve} MB are set to be kept for computing, and {usual} MB are: with --nowebui the setting is not put into force."
    yield Finding(
        t(template, reserve=f"{value:.0f}", usual=f"{RESERVE:.0f}"),
        evidence=[Evidence(t("forge_inference_memory is {value}", value=f"{value:.0f}"), source=stored.file)],
        fixes=[weights_fix(value, None)],
        severity=WARNING if value > RESERVE else INFO,
        confidence=LIKELY if launch.running else CERTAIN,
    )
