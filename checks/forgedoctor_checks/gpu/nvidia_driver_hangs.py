from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import ERROR, LIKELY, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Gpus, Host, Launch
from forgedoctor.gpu import nvml_errors
from forgedoctor_checks.gpu._cards import commands, marks, on_windows, only_with_cuda


@check("nvidia-driver-hangs", severity=ERROR, group="gpu")
def nvidia_driver_hangs(gpus: Gpus, host: Host, launch: Launch | None) -> Iterator[Finding]:
    """The NVIDIA driver does not answer.

    What happens: nvidia-smi and every CUDA program hang, and cannot be ended.
    Why: a card that broke down in the middle of its work; rarely a server of many cards that only wakes slowly.
    Fix: restart the machine. On a server, the persistence daemon keeps the cards awake.
    Source: a question to NVML that did not come back within four seconds.
    """
    only_with_cuda(launch)
    if not gpus.error or gpus.error.code != nvml_errors.HANGS:
        return
    evidence = [Evidence(t("no answer to {question} within four seconds", question=gpus.error.at), "NVML")]
    if gpus.cards and gpus.count:
        template = "{told} of {count} cards answered before"
        evidence.append(Evidence(t(template, told=len(gpus.cards), count=gpus.count), "NVML"))
    yield Finding(
        t("The NVIDIA driver does not answer."),
        evidence=[*evidence, *marks(gpus)],
        fixes=list(_fixes(host)),
        confidence=LIKELY,
    )


def _fixes(host: Host) -> Iterator[Fix]:
    if not on_windows(host):
        lines = ["sudo dmesg | grep -iE 'nvrm|xid' | tail -20"]
        yield commands(t("See what the kernel says of it:"), lines, host, admin=True, safety="safe")
    yield fixes.advise(t("Restart the machine"))
    if not on_windows(host) and not host.container and not host.wsl:
        line = "sudo systemctl enable --now nvidia-persistenced"
        yield commands(t("If nvidia-smi does answer after a while, keep the cards awake:"), [line], host, admin=True)
