"""The answer of ``forgedoctor fit`` as data, for ``--format json``. Sizes are MiB, rounded to hundredths."""

from __future__ import annotations

from typing import Any

from forgedoctor.memory.advice import advice
from forgedoctor.memory.arithmetic import Fit
from forgedoctor.memory.families import component, encoders_mib, family
from forgedoctor.memory.peak import Phase
from forgedoctor.memory.plan import Plan
from forgedoctor.message import Message, t

VERSION = 1
TARGETS = {"text encoders": "JointTextEncoder", "denoiser": "KModel", "vae": "IntegratedAutoencoderKL"}


def rounded(value: float | None) -> float | None:
    """Hundredths, as Forge's log has them."""
    return None if value is None else round(value, 2)


def of_fit(made: Fit) -> dict[str, Any]:
    """The fit test of one model."""
    return {
        "decision": made.decision,
        "model_mib": rounded(made.model_mib),
        "loaded_mib": rounded(made.loaded_mib),
        "free_mib": rounded(made.free_mib),
        "reserve_mib": rounded(made.reserve_mib),
        "to_free_mib": rounded(made.to_free_mib),
        "remaining_mib": rounded(made.remaining_mib),
        "swap_mib": rounded(made.swap_mib),
        "gpu_mib": rounded(made.gpu_mib),
    }


def of_plan(made: Plan, notes: tuple[Message, ...], language: str) -> dict[str, Any]:
    """A whole plan, with what would help."""
    ask, about = made.ask, family(made.ask.family)
    bounded = made.decision not in ("unknown", "cpu") and made.fit is not None
    core = of_fit(made.fit) if made.fit and bounded else {}
    main = made.phase("denoiser")
    return {
        "version": VERSION,
        **core,
        "decision": made.decision,
        "model_mib": rounded(main.model_mib if main else None),
        "remaining_mib": core.get("remaining_mib"),
        "swap_mib": core.get("swap_mib"),
        "gpu_mib": core.get("gpu_mib"),
        "peak_mib": rounded(made.peak_mib),
        "peak_reserved_mib": rounded(made.reserved_mib),
        "ram_mib": rounded(made.ram_mib),
        "family": ask.family,
        "family_name": about.name,
        "precision": made.dtypes.store,
        "compute": made.dtypes.compute,
        "width": ask.width,
        "height": ask.height,
        "batch": ask.batch,
        "card": ask.card.name if ask.card else "",
        "free_mib": rounded(ask.free),
        "state": made.state,
        "components": _components(made),
        "phases": [_phase(one) for one in made.phases],
        "advice": [
            {
                "id": one.change.id,
                "change": one.change.said.text(language),
                "flags": list(one.change.flags),
                "decision": one.plan.decision,
                "swap_mib": rounded(one.plan.fit.swap_mib if one.plan.fit else None),
                "peak_mib": rounded(one.plan.peak_mib),
            }
            for one in advice(made)
        ],
        "uncertainty": uncertainty(notes, language),
    }


def uncertainty(notes: tuple[Message, ...], language: str) -> dict[str, Any]:
    """How sure the numbers are. Percentages: of weights as Forge prints them; of whole-run peaks in published runs."""
    return {
        "weights_percent": 0.1,
        "peak_percent": 20,
        "text": sureness().text(language),
        "notes": [one.text(language) for one in notes],
    }


def sureness() -> Message:
    """How sure the numbers are, in a sentence."""
    return t(
        "Weights are exact to 0.1 %, and so is what Forge decides by them. A peak is met "
        "within 20 % in nine published runs of ten; the allocator's cache and CUDA itself "
        "(about 500 MiB) come on top where there is room."
    )


def _components(made: Plan) -> list[dict[str, Any]]:
    """Each model with the sizes that Forge's log gives it: text encoders grow after the first prompt."""
    found = []
    for phase in made.phases:
        if phase.name not in TARGETS:
            continue
        sizes = [phase.model_mib]
        if phase.name == "text encoders" and "encoders" not in made.ask.measured:
            about = family(made.ask.family)
            sizes.append(encoders_mib(about, made.dtypes.encoders, later=True))
            if "clip_l" in about.encoders and about.projection:
                spared = component("clip_l").projection * (4 if made.dtypes.encoders == "fp32" else 2) / 1048576
                sizes += [one - spared for one in sizes]
        found.append(
            {
                "name": phase.name,
                "target": TARGETS[phase.name],
                "model_mib": rounded(sizes[0]),
                "may_be_mib": [rounded(one) for one in dict.fromkeys(sizes[1:])],
                "fit": of_fit(phase.fit) if phase.fit and made.decision != "unknown" else None,
            }
        )
    return found


def _phase(one: Phase) -> dict[str, Any]:
    return {
        "name": one.name,
        "outcome": one.outcome,
        "weights_mib": rounded(one.weights_mib),
        "computing_mib": rounded(one.computing_mib),
        "estimate_mib": rounded(one.estimate_mib),
        "peak_mib": rounded(one.peak_mib),
        "peak_reserved_mib": rounded(one.reserved_mib),
        "free_mib": rounded(one.free_mib),
        "images_at_once": one.together,
        "passes_at_once": one.passes,
        "low_vram_warning": one.warns,
    }
