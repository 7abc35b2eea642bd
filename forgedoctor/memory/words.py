"""The answer of ``forgedoctor fit`` in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forgedoctor.memory.advice import WORTH, Advice, advice, cost
from forgedoctor.memory.arithmetic import WARNED_BELOW, Fit
from forgedoctor.memory.document import TARGETS, sureness
from forgedoctor.memory.families import family
from forgedoctor.memory.peak import Phase
from forgedoctor.memory.picture import bars
from forgedoctor.memory.plan import Plan
from forgedoctor.message import Message, plain, t

NARROW = 1.2  # a peak is met within 20 %
PCIE3 = 12_000.0  # MiB a second over PCIe 3.0 x16
_NAMES = {
    "text encoders": t("text encoders"), "loading": t("loading"), "denoiser": t("denoiser"), "vae": t("VAE"),
}  # fmt: skip


def as_text(made: Plan, notes: Sequence[Message], useless: Sequence[Message], language: str, width: int = 80) -> str:
    """The whole answer, wrapped at ``width``; ASCII but for the language's own characters."""
    lines = ["", *_wrapped(headline(made).text(language), " ", width), ""]
    lines += _wrapped(verdict(made).text(language), " ", width)
    for one in details(made):
        lines += _wrapped(one.text(language), "   - ", width)
    shown = _picture(made, language, width)
    lines += ["", *shown, ""] if shown else [""]
    lines += _numbers(made, language, width)
    helpful = advice(made)
    if helpful:
        lines += [
            "",
            *_wrapped(t("What helps most: {change}.", change=helpful[0].change.said).text(language), " ", width),
        ]
        lines += _wrapped(effect(helpful[0]).text(language), "   ", width)
        for other in helpful[1:3]:
            said = t("or {change}: {effect}", change=other.change.said, effect=effect(other))
            lines += _wrapped(said.text(language), "   - ", width)
    elif cost(made) >= WORTH and made.decision != "unknown":
        lines += [
            "",
            *_wrapped(
                t("No single change makes it better; a smaller model or a larger card would.").text(language),
                " ",
                width,
            ),
        ]
    for one in useless:
        lines += _wrapped(one.text(language), "   - ", width)
    lines += ["", *_wrapped(t("How sure: {said}", said=sureness()).text(language), " ", width)]
    for one in notes:
        lines += _wrapped(one.text(language), "   - ", width)
    return "\n".join(lines) + "\n"


def headline(made: Plan) -> Message:
    """What was asked."""
    ask = made.ask
    what = {
        "model": family(ask.family).name,
        "precision": made.dtypes.store,
        "width": ask.width,
        "height": ask.height,
        "batch": ask.batch,
    }
    if made.state == "cpu":
        return t("{model} ({precision}), {width}x{height}, batch {batch}, on the processor", **what)
    if ask.free is None:
        return t("{model} ({precision}), {width}x{height}, batch {batch}, whatever the card", **what)
    free = f"{ask.free:.0f}"
    if ask.card and ask.card.name:
        template = "{model} ({precision}), {width}x{height}, batch {batch}, on {card} with {free} MiB free"
        return t(template, **what, card=ask.card.name, free=free)
    return t("{model} ({precision}), {width}x{height}, batch {batch}, with {free} MiB free", **what, free=free)


def verdict(made: Plan) -> Message:
    """Will it fit, in one sentence."""
    if made.decision == "cpu":
        return t("It runs on the processor and takes nothing of the card; expect minutes for each step.")
    if made.decision == "unknown":
        return t(
            (
                "With everything on the card it needs {peak} MiB at its worst. Name a card with --gpu,"
                " or --free-mib, to hear whether it fits."
            ),
            peak=f"{made.peak_mib:.0f}",
        )
    failed = next((one for one in made.phases if one.outcome == "oom"), None)
    if failed:
        template = "It does not fit ({phase}): {peak} MiB are needed and {free} are free; it runs out of memory."
        if failed.peak_mib < NARROW * (made.ask.free or 0.0):
            template = "It probably does not fit ({phase}): about {peak} MiB are needed and {free} are free."
        free = f"{made.ask.free or 0:.0f}"
        return t(template, phase=_NAMES[failed.name], peak=f"{failed.peak_mib:.0f}", free=free)
    if made.decision == "swap" and made.fit:
        template = (
            "It runs, but only part of the model is on the card: {swap} of {model} MiB stay in RAM"
            " and are copied at every pass, about {seconds} s each over PCIe 3.0 x16."
        )
        return t(
            template, swap=f"{made.fit.swap_mib:.0f}", model=f"{made.fit.swap_mib + made.fit.gpu_mib:.0f}",
            seconds=f"{made.fit.swap_mib / PCIE3:.2f}",
        )  # fmt: skip
    slow = next((one for one in made.phases if one.outcome == "slow"), None)
    if slow:
        return t(
            (
"The weights fit, yet {peak} MiB are needed ({phase}): Windows moves the rest into RAM, "
"which is 5 to 20 times slower, without an error."
),
            phase=_NAMES[slow.name], peak=f"{slow.peak_mib:.0f}",
        )  # fmt: skip
    return t("It fits: the whole model is loaded onto the card.")


def details(made: Plan) -> Iterator[Message]:
    """What else Forge will do, by phase."""
    if made.decision in ("cpu", "unknown"):
        return
    for one in made.phases:
        if one.outcome == "oom":
            return  # what would come after it does not
        if one.outcome == "cpu" and one.name == "text encoders":
            yield t("the text encoders run on the processor: a prompt takes seconds longer")
        if one.outcome == "cpu" and one.name == "vae":
            yield t("the VAE runs on the processor: minutes for each image")
        if one.name != "denoiser" and one.fit and one.fit.swap_mib > 1:
            yield t("{swap} MiB of the {phase} stay in RAM too", swap=f"{one.fit.swap_mib:.0f}", phase=_NAMES[one.name])
        if one.outcome == "tiled":
            yield t("the VAE runs out of memory and goes on in tiles: slower, and that is all")
        if one.outcome == "slow" and made.decision == "swap":
            yield t(
                ("the {phase} does not fit beside it: Windows moves the rest into RAM and it crawls"),
                phase=_NAMES[one.name],
            )
        if one.outcome == "tight":
            yield t("only just enough is free ({phase})", phase=_NAMES[one.name])
        if one.warns and made.decision != "oom":
            template = (
                "Forge prints [Low GPU VRAM Warning] at every step: {free} of {wanted} MiB are free while sampling"
            )
            yield t(template, free=f"{one.free_mib or 0:.0f}", wanted=f"{WARNED_BELOW:.0f}")
        if one.name == "denoiser" and one.passes == 1 and family(made.ask.family).passes > 1:
            yield t("prompt and negative prompt are computed one after the other: slower, less memory")


def effect(one: Advice) -> Message:
    """What a change makes of the plan."""
    made = one.plan
    if made.decision == "swap" and made.fit:
        return t("{swap} MiB are then copied at every pass", swap=f"{made.fit.swap_mib:.0f}")
    if made.decision == "cpu":
        return t("it then runs on the processor")
    return t("it is then loaded whole, with {peak} MiB at its worst", peak=f"{made.peak_mib:.0f}")


def _picture(made: Plan, language: str, width: int) -> list[str]:
    shown = [one for one in made.phases if one.outcome != "cpu"]
    if not shown:
        return []
    free = made.ask.free if made.decision != "unknown" else None
    names = [_NAMES[one.name].text(language) for one in shown]
    head = t("On the card in each phase, MiB (# weights, + computing, ! more than is free):").text(language)
    if free is None:
        head = t("On the card in each phase, MiB (# weights, + computing):").text(language)
    return [*_wrapped(head, " ", width), *bars(shown, names, free, width)]


def _numbers(made: Plan, language: str, width: int) -> list[str]:
    lines = []
    if made.decision not in ("cpu", "unknown"):
        lines += _wrapped(t("What Forge's log will say, to the layer:").text(language), " ", width)
        for one in made.phases:
            if one.fit and one.name in TARGETS:
                lines += _wrapped(_log(one, one.fit), "   ", width)
    need = t("Main memory (RAM): at least {ram} MiB.", ram=f"{made.ram_mib:.0f}")
    return [*lines, *_wrapped(need.text(language), " ", width)]


def _log(phase: Phase, fit: Fit) -> str:
    end = "All loaded to GPU."
    if fit.decision == "swap":
        end = f"Swap Loaded: {fit.swap_mib:.2f} MB, GPU Loaded: {fit.gpu_mib:.2f} MB"
    return plain(
        f"{TARGETS[phase.name]}: Free GPU: {fit.free_mib:.2f} MB, Model Require: {fit.model_mib:.2f} MB, "
        f"Inference Require: {fit.reserve_mib:.2f} MB, Remaining: {fit.remaining_mib:.2f} MB, {end}"
    ).text()


def _wrapped(text: str, start: str, width: int) -> list[str]:
    """Lines of at most ``width`` columns; the first begins with ``start``, the others with as many blanks."""
    import unicodedata

    rest, lines, line, used = " " * len(start), [], start, len(start)
    for word in _words(text):
        wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in word)
        if used + wide > width and line.strip(" -"):
            lines.append(line.rstrip())
            line, used, word = rest, len(rest), word.lstrip()
        line += word
        used += wide
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    """Where a line may end: at blanks, and after each Chinese character."""
    import re

    return re.findall(r"[一-鿿][，。：；、）]*|\s*[^\s一-鿿]+|\s+", text)


def bare(made: Fit, known: str, language: str) -> str:
    """The fit test alone."""
    if made.decision == "full":
        said = t("It fits: {left} MiB are left for more than the {reserve} MiB kept for computing.",
                 left=f"{made.remaining_mib:.2f}", reserve=f"{made.reserve_mib:.2f}")  # fmt: skip
    else:
        template = (
            "It does not fit whole: {gpu} MiB go onto the card, {swap} MiB stay in RAM and are copied at every pass."
        )
        said = t(template, gpu=f"{made.gpu_mib:.2f}", swap=f"{made.swap_mib:.2f}")
    lines = ["", *_wrapped(said.text(language), " ", 80), ""]
    end = "All loaded to GPU."
    if made.decision == "swap":
        end = f"Swap Loaded: {made.swap_mib:.2f} MB, GPU Loaded: {made.gpu_mib:.2f} MB"
    log = (
        f"Free GPU: {made.free_mib:.2f} MB, Model Require: {made.model_mib:.2f} MB, "
        f"Previously Loaded: {made.loaded_mib:.2f} MB, Inference Require: {made.reserve_mib:.2f} MB, "
        f"Remaining: {made.remaining_mib:.2f} MB, {end}"
    )
    lines += _wrapped(log, "   ", 80)
    exact = t("The size is that of {model}, so the split is exact to the layer.", model=known)
    rough = t("The split is exact to one layer: the largest stay in RAM whole.")
    lines += ["", *_wrapped((exact if known else rough).text(language), " ", 80)]
    return "\n".join(lines) + "\n"


def overview(plans: Sequence[tuple[str, Plan]], notes: Sequence[Message], language: str) -> str:
    """Many models, a line each."""
    said = {
        "full": t("fits"), "swap": t("runs, partly from RAM"), "oom": t("does not fit"), "cpu": t("on the processor"),
        "unknown": t("no card known"),
    }  # fmt: skip
    lines = ["", " " + t("{count} models:", count=len(plans)).text(language), ""]
    for file, made in plans:
        swapped = f" ({made.fit.swap_mib:.0f} MiB)" if made.decision == "swap" and made.fit else ""
        lines.append(f"   {file}")
        lines.append(f"      {headline(made).text(language)}")
        lines.append(f"      {said[made.decision].text(language)}{swapped}, {made.peak_mib:.0f} MiB")
    lines += ["", *_wrapped(t("How sure: {said}", said=sureness()).text(language), " ", 80)]
    for one in notes:
        lines += _wrapped(one.text(language), "   - ", 80)
    return "\n".join(lines) + "\n"
