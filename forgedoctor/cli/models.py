"""``forgedoctor models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgedoctor.cli.inputs import FORKS
from forgedoctor.cli.options import Output, examined, rendered, reporting, taken, write

if TYPE_CHECKING:
    from forgedoctor.facts.models import Models
    from forgedoctor.outcome import Examination
    from forgedoctor.report.document import Report
    from forgedoctor.target import Target

GROUP = "models"


@click.command("models")
@click.option(
    "--dir", "directory", default="", metavar="FORGE", help="The folder that holds launch.py; without it, here."
)
@click.option("--fork", type=click.Choice(FORKS), default=None, help="Judge for this fork.")
@click.option("--all", "every", is_flag=True, help="List every LoRA, ControlNet, embedding and upscaler one by one.")
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@reporting
def command(directory: str, fork: str | None, every: bool, paths: tuple[str, ...], **options: Any) -> None:
    """The model files: what each is, whether it is whole, and what it lacks.

    Looks into the folders of the Forge here (or in --dir), those of its flags too; or at the files and folders named.
    Only headers are read, nothing is loaded or unpickled, and nothing is changed.
    """
    import os

    from forgedoctor.target import Target

    output = taken(options)
    if not output.select:
        output = output._replace(select=(GROUP,))
    for path in paths:
        if not os.path.lexists(path):
            raise click.BadParameter(f"there is no {path}.", param_hint="PATH")
    target = Target(scope="live", directory=directory, fork=fork or "", timeout=output.timeout)
    models = _named(paths, fork, target) if paths else _found(target)
    _report(target, models, output, every or bool(paths))


def _named(paths: tuple[str, ...], fork: str | None, target: Target) -> Models:
    from forgedoctor.facts import models

    return models.named(paths, fork or "forge")


def _found(target: Target) -> Models:
    """All models of the Forge that the target means; where there is none, one sentence and status 2."""
    from forgedoctor import engine
    from forgedoctor.case import Case
    from forgedoctor.fact import Missing
    from forgedoctor.facts import Install, Launch, models

    case = Case()
    engine.Collection(target, case, lambda name: None).gather([Install, Launch])
    install = case.look(Install)
    if not isinstance(install, Install):
        assert isinstance(install, Missing)
        raise click.UsageError(
            f"{str(install.reason)[:1].upper()}{str(install.reason)[1:]}. Name its folder with --dir, or name the files."
        )
    launch = case.get(Launch)
    return models.gathered(install.root, target.fork or install.fork, launch.effective.options if launch else {})


def _report(target: Target, models: Models, output: Output, every: bool) -> None:
    from forgedoctor.case import Case
    from forgedoctor.facts import Models

    case = Case()
    case.put(Models, models)
    result, made = examined(target, output, case)
    made = _of_files(made, output) if models.named else made
    write(
        _json(models, result, made, output) if output.format == "json" else _text(models, result, made, output, every),
        output,
    )
    raise SystemExit(made.summary.exit_code)


def _of_files(made: Report, output: Output) -> Report:
    """The report on files that were named: that no Forge was found does not matter."""
    import msgspec

    from forgedoctor.message import t

    sums, structs = made.summary, msgspec.structs
    levels = {"error": sums.errors, "warning": sums.errors + sums.warnings, "info": len(made.findings), "never": 0}
    said = (
        sums.headline
        if made.findings
        else t("Nothing is wrong with these files, as far as their headers tell.").text(output.lang)
    )
    summary = structs.replace(sums, judged=True, headline=said, exit_code=1 if levels[output.fail_on] else 0)
    return structs.replace(made, summary=summary)


def _json(models: Models, result: Examination, made: Report, output: Output) -> str:
    import json

    import msgspec

    from forgedoctor import api
    from forgedoctor.models import listing

    clean = api.redactor_for(result).clean_value(listing.document(models, output.lang))
    clean["report"] = msgspec.to_builtins(made)
    return json.dumps(clean, indent=1, ensure_ascii=False) + "\n"


def _text(models: Models, result: Examination, made: Report, output: Output, every: bool) -> str:
    import sys

    from forgedoctor import api
    from forgedoctor.models import listing
    from forgedoctor.report.text import PLAIN, SIGNS, can_show_signs, harmless, in_ascii

    to_file = bool(output.output and output.output != "-")
    encoding = "utf-8" if to_file else getattr(sys.stdout, "encoding", None) or "ascii"
    plain = output.ascii or not can_show_signs(encoding)
    signs = PLAIN if plain else SIGNS
    redactor = api.redactor_for(result)
    lines: list[str] = []
    for title, folder, rows, rest in listing.sections(models, output.lang, every=every):
        lines += ["", f" {title.text(output.lang)}  {folder}".rstrip()]
        for sign, name, said in rows:
            lines.append(f"   {signs[sign]} {name}")
            lines += [f"       {one.text(output.lang)}" for one in said]
        lines += [f"   {signs['dot']} {rest.text(output.lang)}"] if rest else []
    text = "\n".join(harmless(redactor.clean(line)) for line in lines) + "\n"
    return (in_ascii(text) if plain else text) + rendered(made, output)
