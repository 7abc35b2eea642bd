"""How model files are spoken of: sizes, and what is wrong with a file."""

from __future__ import annotations

from forgedoctor.message import Message, t
from forgedoctor.models import headers
from forgedoctor.models.scan import ModelFile


def size(count: int) -> str:
    """Bytes for people, as file managers show them (powers of 1024)."""
    value, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] in ("B", "KB") or value >= 100 else f"{value:.1f} {units[0]}"


def wrong(file: ModelFile) -> Message:
    """What is wrong with a file, as the end of a sentence."""
    plain = {
        headers.EMPTY: t("it is empty (0 bytes)"),
        headers.ZEROS: t("it holds nothing but zeros where its header should be"),
        headers.WEB_PAGE: t("it is a web page, saved under the name of a model"),
        headers.LFS_POINTER: t("it is a pointer of git-lfs, a text of a few lines in place of the model"),
        headers.BROKEN: t("its header is damaged"),
        headers.HUGE: t("its header is larger than any real one, so it was not read"),
        headers.DENIED: t("it may not be read"),
        headers.GONE: t("it is not there (a link that leads nowhere)"),
    }
    if file.unfinished and file.state == "ok":
        return t("its download is not finished (a file .aria2 lies beside it)")
    if file.state == headers.TRUNCATED and file.missing > 0:
        return t("it is cut off: {missing} are missing at its end", missing=size(file.missing))
    if file.state == headers.TRUNCATED:
        return t("it is cut off")
    if file.state == headers.LONGER:
        return t("{count} follow after its end", count=size(-file.missing if file.missing < 0 else file.missing))
    if file.state == headers.TEXT:
        return t('it is a text that begins with "{begin}"', begin=file.detail)
    if file.state == headers.OTHER and file.detail:
        return t("it is no model but a file of another kind ({kind})", kind=file.detail)
    return plain.get(file.state, t("it is no model file"))
