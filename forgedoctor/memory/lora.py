"""What LoRA cost in memory. Source: the linear layers that a LoRA patches; backend/patcher/lora.py in Forge."""

from __future__ import annotations

from forgedoctor.memory.arithmetic import MIB
from forgedoctor.memory.families import Family, component


def lora_mib(family: Family, rank: int) -> float | None:
    """MiB of one LoRA of that rank over all of a family's transformer blocks, in 16 bits; None where not known.

    Text encoder and convolution layers come on top. While sampling it is kept on the card only with "(fp16 LoRA)" in
    "Diffusion in Low Bits"; else it is merged into the weights.
    """
    return family.lora_per_rank * rank * 2 / MIB if family.lora_per_rank else None


def backup_mib(family: Family, precision: str) -> float:
    """MiB of RAM that merged LoRA take at most: a copy of every weight that is patched."""
    return component(family.denoiser).mib(precision)
