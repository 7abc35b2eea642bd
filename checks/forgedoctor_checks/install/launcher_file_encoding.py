from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import LaunchFiles


@check("launcher-file-encoding", severity=WARNING, group="install", explains=["api-flag-missing", "listen-missing"])
def launcher_file_encoding(files: LaunchFiles) -> Iterator[Finding]:
    r"""A launcher file is saved in an encoding that the shell cannot read.

    What happens: the first line fails ("'@echo' is not recognized"), or none is understood and the flags are missing.
    Why: editors on Windows save as UTF-16 or put a mark (BOM) before UTF-8; cmd.exe takes neither. A shell script with
    Windows line ends fails with "$'\r': command not found".
    Fix: save the file as UTF-8 without BOM (or ANSI), with the line ends of the system.
    Source: cmd.exe, bash.
    """
    for script in files.scripts:
        if script.encoding.startswith("utf-16"):
            yield Finding(
                t(
                    "{file} is saved as {encoding}: the shell reads none of its lines.",
                    file=script.name,
                    encoding="UTF-16",
                ),
                evidence=[Evidence(t("encoding: {encoding}", encoding=script.encoding), script.name)],
                fixes=[fixes.advise(t("Save {file} anew (in Notepad: Save as, encoding ANSI)", file=script.name))],
                severity=ERROR,
                confidence=CERTAIN,
            )
        elif script.encoding == "utf-8-sig":
            yield Finding(
                t("{file} begins with a byte order mark: its first line is lost.", file=script.name),
                evidence=[Evidence(t("encoding: {encoding}", encoding=script.encoding), script.name)],
                fixes=[
                    fixes.advise(t("Save {file} as UTF-8 without BOM (in Notepad: encoding UTF-8)", file=script.name))
                ],
                confidence=CERTAIN,
            )
        elif script.kind == "sh" and script.newline in ("crlf", "mixed"):
            # Not \r in the expression: the sed of macOS does not know it, the shell's $'' does.
            command = f"sed -i.bak $'s/\\r$//' {script.name}"
            yield Finding(
                t("{file} has Windows line ends, which bash cannot read.", file=script.name),
                evidence=[Evidence(t("line ends: {newline}", newline=script.newline.upper()), script.name)],
                fixes=[fixes.paste(t("Convert it (a copy stays as .bak):"), command, safety="safe")],
                confidence=LIKELY,
            )
        if script.truncated:
            yield Finding(
                t("{file} is far too large for a launcher file; only its beginning was read.", file=script.name),
                evidence=[Evidence(t("more than {size} bytes", size=1_000_000), script.name)],
                fixes=[fixes.advise(t("Look into {file}: it may hold something else", file=script.name))],
                confidence=CERTAIN,
            )
