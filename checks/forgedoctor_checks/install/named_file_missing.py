from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Message, check, t
from forgedoctor.facts import Launch, NamedFile, NamedFiles

_STOPS = ("tls_keyfile", "tls_certfile", "gradio_auth_path")


@check(
    "named-file-missing",
    severity=ERROR,
    group="install",
    explains=["endpoint-unreachable", "server-thread-dead", "server-half-dead"],
)
def named_file_missing(files: NamedFiles, launch: Launch) -> Iterator[Finding]:
    """A file or folder that a flag names is not there, or may not be read.

    What happens: a missing TLS file makes the web UI try 100 ports at five seconds each; a missing --gradio-auth-path
    ends the server's thread, and the process stays. A missing --ckpt or model folder only costs its models.
    Why: paths are not checked at launch; a relative one counts from Forge's folder; backslashes in COMMANDLINE_ARGS
    vanish.
    Fix: correct the path.
    Source: recorded starts with missing files; modules/initialize_util.py.
    """
    if launch.effective.exit is not None:
        return
    for one in files.named:
        if one.state == "there" or (one.option == "data_dir" and one.state == "missing"):
            continue  # a missing data folder is made
        name = "--" + one.option.replace("_", "-")
        stops = one.option in _STOPS and not (launch.effective.mode == "api-only" and one.option == "gradio_auth_path")
        yield Finding(
            _summary(one, name),
            evidence=[Evidence(t("looked for {path}", path=one.path), launch.origin)],
            fixes=[
                fixes.change_flags(
                    launch, drop=[name], title=t("Correct the path after {flag}, or drop it:", flag=name)
                )
            ],
            severity=ERROR if stops else WARNING,
            confidence=CERTAIN,
        )


def _summary(one: NamedFile, name: str) -> Message:
    if one.state == "denied":
        return t("{path}, which {flag} names, may not be read.", path=one.path, flag=name)
    if one.state == "other":
        wanted = t("{flag} wants a folder, and {path} is a file.", flag=name, path=one.path)
        return wanted if one.folder else t("{flag} wants a file, and {path} is a folder.", flag=name, path=one.path)
    return t("{path}, which {flag} names, is not there.", path=one.path, flag=name)
