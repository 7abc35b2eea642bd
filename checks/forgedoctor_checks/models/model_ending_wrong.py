from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Models
from forgedoctor.models.pickles import PICKLE
from forgedoctor.models.scan import RENAMED, ModelFile
from forgedoctor_checks.models._files import MOST, is_chosen, move

_NAMES = {"safetensors": ".safetensors", "gguf": ".gguf", PICKLE: ".ckpt"}


@check("model-ending-wrong", severity=WARNING, group="models", explains=["model-renamed-corrupted"])
def model_ending_wrong(models: Models, host: Host | None) -> Iterator[Finding]:
    """A model file's name ends otherwise than its content asks for.

    What happens: "Error while deserializing header: HeaderTooLarge" or "invalid load key"; Forge then renames the file to
    NAME.corrupted, although it is whole.
    Why: Forge chooses the reader by the ending alone; the file was renamed, or saved under another name.
    Fix: give it the right ending.
    Source: backend/utils.py load_torch_file; the first bytes of the file.
    """
    for one in [one for one in models.files if _wrong(one)][:MOST]:
        right = _NAMES[one.format]
        stem = one.path[: -len(RENAMED)] if one.renamed else one.path
        target = stem[: len(stem) - len(one.ending)] + right
        yield Finding(
            t(
                "{file} is a {format} file under the ending {ending}: it will not load.",
                file=one.name,
                format=one.format,
                ending=one.ending,
            ),
            evidence=[Evidence(t("its first bytes are those of a {format} file", format=one.format), one.path)],
            fixes=[move(t("Give it the right ending, then refresh the list:"), one.path, target, host)],
            severity=ERROR if is_chosen(models, one) else WARNING,
            confidence=CERTAIN,
        )


def _wrong(one: ModelFile) -> bool:
    if one.format not in _NAMES or not one.whole:
        return False
    by_name = {".safetensors": "safetensors", ".gguf": "gguf"}.get(one.ending, PICKLE)
    return by_name != one.format
