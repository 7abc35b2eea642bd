"""The card of this machine, for ``forgedoctor fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forgedoctor.memory.activations import CONTEXT
from forgedoctor.memory.dtypes import Card
from forgedoctor.message import t

if TYPE_CHECKING:
    from forgedoctor.memory.asking import Room
    from forgedoctor.memory.typed import Asked


def this_card(asked: Asked, flags: dict[str, Any]) -> Room:
    """The card that Forge would take here, and what is free on it now; none where there is none to be asked."""
    from forgedoctor.memory.asking import Room

    if flags.get("always_cpu"):
        return Room(None, None)
    found = _asked_driver(asked)
    index = flags.get("gpu_device_id")
    chosen = found[index] if isinstance(index, int) and 0 <= index < len(found) else (found[0] if found else None)
    if chosen is None or chosen.free_mib is None:
        return Room(None, None, (t("This machine has no NVIDIA card that can be asked; name one with --gpu."),))
    card = Card(name=chosen.name, total_mib=float(chosen.total_mib or 0), capability=chosen.capability)
    notes = [
        t(
            ("Free is what this machine's card has free now, less {context} MiB for CUDA itself."),
            context=f"{CONTEXT:.0f}",
        )
    ]
    if len(found) > 1 and index is None:
        notes.append(
            t(
                ("There are {count} cards; the first of the PCI bus is judged. Choose with: -- --gpu-device-id N"),
                count=len(found),
            )
        )
    return Room(card, max(0.0, chosen.free_mib - CONTEXT), tuple(notes))


def _asked_driver(asked: Asked) -> list[Any]:
    """The NVIDIA cards as the driver tells them; empty where there is no driver or it does not answer in time."""
    from forgedoctor.case import Case
    from forgedoctor.engine import Collection
    from forgedoctor.facts.gpu import Gpus
    from forgedoctor.target import Target

    case = Case()
    Collection(Target(scope="preflight", directory=asked.directory), case, lambda name: None).gather([Gpus])
    gpus = case.get(Gpus)
    return [one for one in gpus.cards if one.error is None] if gpus else []
