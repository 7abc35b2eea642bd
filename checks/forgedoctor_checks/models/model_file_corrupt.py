from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Models
from forgedoctor.models import headers, words
from forgedoctor.models.scan import ModelFile
from forgedoctor_checks.models._files import MOST, is_chosen, shown

_UNSURE = (headers.HUGE, headers.DENIED, headers.GONE)


@check("model-file-corrupt", severity=WARNING, group="models")
def model_file_corrupt(models: Models) -> Iterator[Finding]:
    """A model file is incomplete, damaged, or no model at all.

    What happens: "Error while deserializing header", "SafetensorError", "MetadataIncompleteBuffer" when it is loaded;
    Forge then renames the file to NAME.corrupted, and it is gone from the list.
    Why: the download broke off; the site sent a web page in place of the file (a login or a consent is missing); git
    without git-lfs fetched a pointer of a few lines; the disk was full.
    Fix: download it again, and compare its size or SHA-256 with the site's.
    Source: the format of safetensors and GGUF; modules_forge/patch_basic.py; only headers were read.
    """
    broken = [one for one in models.files if not one.whole and one.state not in _UNSURE and not one.renamed]
    broken.sort(key=lambda one: not is_chosen(models, one))
    for one in broken[:MOST]:
        yield Finding(
            t("{file} cannot be loaded: {wrong}.", file=one.name, wrong=words.wrong(one)),
            evidence=list(_evidence(one)),
            fixes=[_fix(one)],
            severity=ERROR if is_chosen(models, one) or models.named else WARNING,
            confidence=CERTAIN,
        )
    if len(broken) > MOST:
        rest = broken[MOST:]
        yield Finding(
            t("{count} more model files are broken: {files}.", count=len(rest), files=shown(rest)),
            fixes=[fixes.advise(t("'forgedoctor models' lists all of them"))],
            confidence=CERTAIN,
        )


def _evidence(one: ModelFile) -> Iterator[Evidence]:
    yield Evidence(t("its size is {size} bytes", size=one.size), one.path)
    if one.state == headers.BROKEN and one.detail:
        yield Evidence(t("reading it says: {why}", why=one.detail))


def _fix(one: ModelFile) -> Fix:
    if one.unfinished:
        return fixes.advise(t("Let the download finish, or start it again; then refresh the list of models"))
    if one.state == headers.LFS_POINTER:
        return fixes.advise(t("Install git-lfs and run 'git lfs pull' in that folder, or download the file itself"))
    if one.state in (headers.WEB_PAGE, headers.TEXT):
        return fixes.advise(
            t(
                "Delete it and download it again while logged in to the site (or with your token); such a page asks for that"
            )
        )
    return fixes.advise(t("Delete it and download it again; compare its size with the one on the site"))
