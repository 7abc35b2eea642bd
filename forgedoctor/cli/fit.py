"""``forgedoctor fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgedoctor.cli.inputs import FORKS
from forgedoctor.cli.options import FORMATS, language

if TYPE_CHECKING:
    from forgedoctor.memory.typed import Asked


class _Size(click.FloatRange):
    """MiB; not a number passes every comparison of a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, once it is one."""
        number: float = super().convert(value, param, ctx)
        if number != number:
            self.fail("not a number.", param, ctx)
        return number


MIB = _Size(0, 1e8)


@click.command("fit")
@click.option("--family", default="", metavar="NAME", help="A model family, such as sd15, sdxl, flux-dev, chroma.")
@click.option("--precision", default="", metavar="P", help="fp32, fp16, bf16, fp8, nf4, Q8_0, Q4_K ...")
@click.option(
    "--text-encoders", "encoders", default="", metavar="P", help="Precision of the text encoders, where it differs."
)
@click.option("--gpu", default="", metavar="NAME", help='A card, also one you do not have: "RTX 3060 12GB".')
@click.option("--free-mib", type=MIB, default=None, help="MiB free on the card before Forge loads anything.")
@click.option(
    "--reserve-mib", type=MIB, default=None, help="MiB kept for computing (total less GPU Weights). [default: 1024]"
)
@click.option("--width", type=click.IntRange(64, 16384), default=None, help="Of the image.")
@click.option("--height", type=click.IntRange(64, 16384), default=None, help="Of the image.")
@click.option("--batch", type=click.IntRange(1, 256), default=1, show_default=True, help="Images at once.")
@click.option("--resident", is_flag=True, help="All parts stay on the card, as other programs do it.")
@click.option("--tiled-vae", is_flag=True, help="The VAE always works in tiles.")
@click.option("--controlnets", type=click.IntRange(0, 16), default=0, help="How many ControlNets run along.")
@click.option("--others-mib", type=MIB, default=0.0, help="MiB of other models on the card (IP-Adapter ...).")
@click.option(
    "--online-lora-rank", type=click.IntRange(0, 4096), default=0, help='Rank of LoRA kept on the card ("fp16 LoRA").'
)
@click.option("--model-mib", type=MIB, default=None, help="Only the fit test: MiB still to be loaded (Model Require).")
@click.option("--loaded-mib", type=MIB, default=0.0, help="Only the fit test: MiB loaded before (Previously Loaded).")
@click.option(
    "--os", "system", type=click.Choice(["windows", "linux"]), default=None, help="Where Forge runs. [default: here]"
)
@click.option("--fork", type=click.Choice(FORKS), default="forge", show_default=True, help="Whose flags these are.")
@click.option("--dir", "directory", default="", metavar="FORGE", help="The Forge folder, for the models in it.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="How to report."
)
@click.option("--lang", default="", metavar="LANGUAGE", help="Language of the report, such as en or zh_CN.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[MODEL] [-- FLAGS]")
def command(words: tuple[str, ...], format_: str, lang: str, **options: Any) -> None:
    """Will a model fit on the card, and what will Forge do with it?

    MODEL is a file (safetensors or gguf); without it and --family the checkpoints of the Forge folder are answered for.
    Give Forge's flags after "--". Without --gpu and --free-mib this machine's card is asked, if it has one.

    \b
    forgedoctor fit --family flux-dev --precision fp8 --gpu "RTX 3060 12GB"
    forgedoctor fit models/Stable-diffusion/some.safetensors -- --vae-in-fp16
    forgedoctor fit --model-mib 11350 --free-mib 11200

    Exit status: 0 it runs, 1 it does not, 2 used wrongly, 3 no model to judge.
    """
    from forgedoctor.memory.typed import Asked, Wrong

    spoken = language(lang)
    asked = Asked(words=words, **options)
    try:
        if asked.model_mib is not None:
            _bare(asked, format_, spoken)
        _plans(asked, format_, spoken)
    except Wrong as error:
        if error.status != 2:
            click.echo(error.said.text(spoken), err=True)
            raise SystemExit(error.status) from None
        raise click.UsageError(error.said.text(spoken)) from None


def _bare(asked: Asked, format_: str, spoken: str) -> None:
    """The fit test alone, on given numbers."""
    from forgedoctor.memory import asking, document
    from forgedoctor.memory.words import bare

    made, known = asking.bare(asked)
    if format_ == "json":
        answer = document.of_fit(made) | {"model": known, "peak_mib": document.rounded(made.gpu_mib)}
        _json({**answer, "phases": [], "uncertainty": document.uncertainty((), spoken)})
    else:
        click.echo(bare(made, known, spoken), nl=False)
    raise SystemExit(0)


def _plans(asked: Asked, format_: str, spoken: str) -> None:
    """The plan of one model, or of each that was found."""
    from forgedoctor.memory import asking, document, words
    from forgedoctor.report.text import terminal_width

    answers = asking.plans(asked)
    status = 1 if any(one.plan.decision == "oom" for one in answers) else 0
    if format_ == "json":
        made = [document.of_plan(one.plan, one.notes, spoken) | {"file": one.file} for one in answers]
        _json(made[0] if asked.single else {"version": document.VERSION, "models": made})
    elif len(answers) == 1:
        one = answers[0]
        width = min(80, terminal_width())
        click.echo(words.as_text(one.plan, one.notes, one.useless, spoken, width), nl=False)
    else:
        click.echo(words.overview([(one.file, one.plan) for one in answers], answers[0].notes, spoken), nl=False)
    raise SystemExit(status)


def _json(made: dict[str, Any]) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2).decode())
