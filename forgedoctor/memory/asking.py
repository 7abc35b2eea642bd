"""From what was typed to plans. With subjects.py and here.py the part of this room that looks at the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from forgedoctor.memory import arithmetic
from forgedoctor.memory.activations import CONTEXT
from forgedoctor.memory.arithmetic import RESERVE, Fit
from forgedoctor.memory.dtypes import Card, state_of
from forgedoctor.memory.families import component, family, table
from forgedoctor.memory.lora import lora_mib
from forgedoctor.memory.plan import Ask, Plan, plan
from forgedoctor.memory.precision import GGUF_BITS
from forgedoctor.memory.subjects import subjects
from forgedoctor.memory.typed import Asked, Wrong
from forgedoctor.message import Message, t

if TYPE_CHECKING:
    from forgedoctor.forge.predict import EffectiveLaunch

DIRECTML = 1024.0  # MiB that Forge takes a card for that is used through DirectML
# MiB that the desktop and other programs hold, for a card that is not asked: Windows' desktop takes 500 to 1000.
DESKTOP = {"windows": 750.0, "linux": 250.0}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One plan, with what must be said beside it. ``useless``: flags that do not help. ``file``: of the model."""

    plan: Plan
    notes: tuple[Message, ...] = ()
    useless: tuple[Message, ...] = ()
    file: str = ""


class Room(msgspec.Struct, frozen=True):
    """A card, what is free on it (None: no card), and what is to be said of that."""

    card: Card | None
    free: float | None
    notes: tuple[Message, ...] = ()


def bare(asked: Asked) -> tuple[Fit, str]:
    """The fit test on given numbers, and the name of the model whose size this is (empty where none is known)."""
    room = _room(asked)
    if room.free is None:
        raise Wrong(t("Say how much is free on the card: --free-mib MIB, or --gpu NAME."))
    total = (asked.model_mib or 0.0) + asked.loaded_mib
    known = _known_size(total)
    flags = _launch(asked).options
    made = arithmetic.fit(
        asked.model_mib or 0.0,
        room.free,
        loaded=asked.loaded_mib,
        reserve=RESERVE if asked.reserve_mib is None else asked.reserve_mib,
        layers=known[1] if known else None,
        tested=state_of(flags) in ("normal", "low"),
        nothing_on_card=state_of(flags) == "no",
    )
    return made, known[0] if known else ""


def _known_size(mib: float) -> tuple[str, arithmetic.Layers] | None:
    """The denoiser that is so large, if there is one and its layers are known."""
    from forgedoctor.memory.layers import denoiser_layers, shapes

    for one in table().families.values():
        if not shapes(one.denoiser):
            continue
        for precision in ("fp16", "fp8", "fp32", "nf4", *GGUF_BITS):
            if abs(component(one.denoiser).mib(precision) - mib) < 0.2:
                layers = denoiser_layers(one.denoiser, precision)
                return (f"{one.name} ({precision})", layers) if layers else None
    return None


def plans(asked: Asked) -> tuple[Answer, ...]:
    """The plan of what was asked for; of each checkpoint found where nothing was."""
    launch = _launch(asked)
    room = _room(asked, launch.options)
    useless = _useless(asked, launch)
    found = subjects(asked, launch.options)
    if not found:
        raise Wrong(
            t(
                "There is no model to judge: name a file or a family, such as --family sdxl, or the "
                "Forge folder with --dir."
            ),
            status=3,
        )
    answers = []
    for file, ask, notes in found:
        made = plan(_completed(ask, asked, room, launch.options))
        said = (*notes, *room.notes, *_fork_notes(asked))
        worth = _given(useless, launch) if made.decision in ("full", "unknown") else useless
        answers.append(Answer(plan=made, notes=said, useless=worth, file=file))
    return tuple(answers)


def _given(useless: Sequence[Message], launch: EffectiveLaunch) -> tuple[Message, ...]:
    """Where all is well only flags that were really given are worth a word."""
    given = {one.flag for one in launch.ignored}
    return tuple(one for one in useless if one.params.get("flag") in given)


def _completed(ask: Ask, asked: Asked, room: Room, flags: dict[str, Any]) -> Ask:
    about = family(ask.family)
    others = asked.others_mib
    if about.controlnet:
        others += asked.controlnets * component(about.controlnet).mib("fp16")
    return msgspec.structs.replace(
        ask,
        width=asked.width or about.size,
        height=asked.height or about.size,
        batch=asked.batch,
        free=room.free,
        card=room.card,
        flags=flags,
        reserve=RESERVE if asked.reserve_mib is None else asked.reserve_mib,
        resident=asked.resident,
        others=others,
        online_lora=lora_mib(about, asked.online_lora_rank) or 0.0,
        tiled_vae=asked.tiled_vae,
        windows=asked.on_windows,
    )


# -- flags ---------------------------------------------------------------------------------------------------------


def _launch(asked: Asked) -> EffectiveLaunch:
    from forgedoctor.forge.predict import predict

    made = predict(asked.fork, asked.flags)
    if made.exit is not None:
        raise Wrong(t("Forge does not start with these flags: {why}", why=made.exit.message.strip()[-300:]))
    return made


def _useless(asked: Asked, launch: EffectiveLaunch) -> tuple[Message, ...]:
    """Flags that change nothing in this fork: those that were given, and those that people reach for."""
    said = [t("{flag} changes nothing: {why}", flag=one.flag, why=one.why) for one in launch.ignored]
    given = {one.flag for one in launch.ignored}
    from forgedoctor.forge.flags import find

    reached = [name for name in ("--medvram", "--lowvram") if name not in given]
    dead = [name for name in reached if (flag := find(asked.fork, name)) and flag.status == "accepted-but-ignored"]
    if dead:
        said.append(t("{flags} would change nothing: this fork swaps by itself", flags=", ".join(dead)))
    return tuple(said)


def _fork_notes(asked: Asked) -> tuple[Message, ...]:
    if asked.fork == "forge":
        return ()
    return (
        t(
            ("This is the arithmetic of Forge itself; {fork} has a memory manager of its own, so take it as a hint."),
            fork=asked.fork,
        ),
    )


# -- the card ------------------------------------------------------------------------------------------------------


def _room(asked: Asked, flags: dict[str, Any] | None = None) -> Room:
    """The card named, or that of this machine, and what is free on it."""
    if flags and flags.get("directml") is not None:
        told = t("With --directml Forge takes the card for one of 1024 MiB, whatever it has.")
        return Room(Card(name="DirectML", total_mib=DIRECTML, vendor="directml"), DIRECTML, (told,))
    if asked.gpu:
        return _named_room(asked)
    if asked.free_mib is not None:
        return Room(None, asked.free_mib)
    if asked.resident:
        return Room(None, None)
    from forgedoctor.memory.here import this_card

    return this_card(asked, flags or {})


def _named_room(asked: Asked) -> Room:
    from forgedoctor.memory.cards import card_named, near

    found = card_named(asked.gpu)
    if found is None:
        alike = near(asked.gpu)
        hint = (
            t("Did you mean {names}?", names=", ".join(alike))
            if alike
            else t("Give its size too, as in: RX 6800 16GB.")
        )
        raise Wrong(t("The card {name} is not known. {hint}", name=asked.gpu[:80], hint=hint))
    card, sizes = found
    if asked.free_mib is not None:
        return Room(card, asked.free_mib)
    desktop = DESKTOP["windows" if asked.on_windows else "linux"]
    free = max(0.0, card.total_mib - CONTEXT - desktop)
    notes = [
        t(
            (
                "Of the card's {total} MiB {context} are taken as used by CUDA and {desktop} by other "
                "programs; --free-mib says it better."
            ),
            total=f"{card.total_mib:.0f}",
            context=f"{CONTEXT:.0f}",
            desktop=f"{desktop:.0f}",
        )
    ]
    if len(sizes) > 1:
        every = ", ".join(f"{one / 1024:.0f} GB" for one in sizes)
        notes.append(
            t(("This card is made with {sizes}; the smallest is taken. Name the size to be sure."), sizes=every)
        )
    return Room(card, free, tuple(notes))
