from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, plain, t
from forgedoctor.facts import Models
from forgedoctor.models import scan
from forgedoctor_checks.models._files import shown


@check("pickle-model-files", severity=INFO, group="models")
def pickle_model_files(models: Models) -> Iterator[Finding]:
    """Some model files are in the pickle format, which can run a program when it is loaded.

    What happens: mostly nothing; but whoever made such a file can make this machine run what they like. torch 2.6 and
    later refuse some of them ("Weights only load failed").
    Why: .ckpt, .pt, .pth and .bin are pickles in a zip archive; .safetensors and .gguf cannot hold a program.
    Fix: take the .safetensors variant where the site has one; keep others only from people you trust.
    Source: torch.load; backend/utils.py load_torch_file. forgedoctor never loads them, so it cannot tell what they hold.
    """
    found = [one for one in models.files if scan.is_pickle(one) and not one.renamed]
    if found:
        yield Finding(
            t("{count} model files are pickles: {files}.", count=len(found), files=shown(found))
            if len(found) > 1
            else t("{file} is a pickle.", file=found[0].name),
            evidence=[Evidence(plain(one.path)) for one in found[:3]],
            fixes=[fixes.advise(t("Prefer the .safetensors variant of such a file; it cannot run anything"))],
            confidence=CERTAIN,
        )
