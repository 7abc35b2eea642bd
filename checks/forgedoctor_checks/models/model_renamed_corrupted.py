from __future__ import annotations

import os
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Models
from forgedoctor.models import words
from forgedoctor.models.scan import RENAMED, ModelFile
from forgedoctor_checks.models._files import MOST, move


@check("model-renamed-corrupted", severity=WARNING, group="models", explains=["no-checkpoint"])
def model_renamed_corrupted(models: Models, host: Host | None) -> Iterator[Finding]:
    """Forge has renamed a model file to NAME.corrupted, so that it is in no list any more.

    What happens: a model vanishes after a failed load; the message says "File corrupted" and offers to download again.
    Why: Forge renames the file after any error while it reads it. Too little memory, or a wrong ending of the name, is
    such an error too: the file itself is often good.
    Fix: where its header and size are right, rename it back, and look for the real cause (often memory).
    Source: modules_forge/patch_basic.py build_loaded; the header and the size were compared, not the content.
    """
    renamed = [one for one in models.files if one.renamed]
    for one in renamed[:MOST]:
        yield _good(one, host) if one.whole else _bad(one)


def _good(one: ModelFile, host: Host | None) -> Finding:
    back = one.path[: -len(RENAMED)]
    known = bool(one.kind)
    return Finding(
        t("Forge put {file} aside as corrupted, and its header and size are right.", file=one.name)
        if known
        else t("Forge put {file} aside as corrupted; from outside nothing is wrong with it.", file=one.name),
        evidence=[Evidence(t("its size is {size} bytes, as its header says", size=one.size), one.path)]
        if known
        else [],
        fixes=[
            move(t("Rename it back, then refresh the list of models:"), one.path, back, host),
            fixes.advise(
                t("If it happens again, read the error above it: too little memory or page file is the usual one")
            ),
        ],
        confidence=CERTAIN if known else LIKELY,
    )


def _bad(one: ModelFile) -> Finding:
    name = os.path.basename(one.path[: -len(RENAMED)])
    return Finding(
        t("Forge put {file} aside, rightly: {wrong}.", file=one.name, wrong=words.wrong(one)),
        evidence=[Evidence(t("its size is {size} bytes", size=one.size), one.path)],
        fixes=[fixes.advise(t("Delete it and download {name} again", name=name))],
        confidence=CERTAIN,
    )
