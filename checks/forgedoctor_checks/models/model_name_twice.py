from __future__ import annotations

import os
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, WARNING, Evidence, Finding, check, plain, t
from forgedoctor.facts import Models
from forgedoctor.models.scan import MODULES, ModelFile
from forgedoctor_checks.models._files import MOST


@check("model-name-twice", severity=INFO, group="models")
def model_name_twice(models: Models) -> Iterator[Finding]:
    """Two files have the same name, and Forge's list knows files by their name.

    What happens: only one of them can be chosen, and it is not told which; a file that was replaced seems to be the old
    one still.
    Why: the lists of VAEs and text encoders, and of LoRAs, keep one file for each name, whatever folder it lies in.
    Fix: rename one of them, or remove it.
    Source: modules_forge/main_entry.py find_files_with_extensions; extensions-builtin/sd_forge_lora/networks.py.
    """
    groups: dict[tuple[str, str], list[ModelFile]] = {}
    for one in models.files:
        if one.renamed or one.place not in (*MODULES, "lora"):
            continue
        name = os.path.basename(one.name)
        key = ("lora", os.path.splitext(name)[0]) if one.place == "lora" else ("module", name)
        groups.setdefault(key, []).append(one)
    for (_, name), same in [item for item in groups.items() if len(item[1]) > 1][:MOST]:
        differ = len({one.size for one in same}) > 1
        yield Finding(
            t("{count} files are called {name}, and Forge lists one of them only.", count=len(same), name=name),
            evidence=[Evidence(plain(one.path)) for one in same[:4]],
            fixes=[fixes.advise(t("Rename one of them, or remove what is not needed; then refresh the list"))],
            severity=WARNING if differ else INFO,
            confidence=CERTAIN,
        )
