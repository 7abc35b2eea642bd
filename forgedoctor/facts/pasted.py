"""Facts that a pasted text or a bare command line can tell instead of a machine."""

from __future__ import annotations

from forgedoctor.fact import Unavailable, collector
from forgedoctor.facts.host import Host
from forgedoctor.facts.launch_files import LaunchFiles
from forgedoctor.facts.transcript import Transcript
from forgedoctor.forge.scripts import final
from forgedoctor.message import t
from forgedoctor.target import Target


@collector(Host, scopes=("text",))
def host_of_text(transcript: Transcript) -> Host:
    """The system that the text comes from."""
    if not transcript.system and not transcript.container:
        raise Unavailable(
            t("the text does not say which system it comes from"), settle=t("say Windows, Linux or macOS")
        )
    return Host(
        source=transcript.source,
        system=transcript.system,
        container="docker" if transcript.container else "",
        wsl=transcript.wsl,
    )


@collector(Host, scopes=("args",))
def host_of_arguments(target: Target) -> Host:
    """The system that was named with --os."""
    if not target.system:
        raise Unavailable(t("no system was named"), settle=t("name it with --os"), sought=False)
    return Host(source="--os", system=target.system)


@collector(LaunchFiles, scopes=("text",))
def scripts_of_text(transcript: Transcript) -> LaunchFiles:
    """The launcher file, or the lines of one, that was pasted."""
    script = transcript.script()
    if script is None:
        raise Unavailable(t("the text holds no launcher file"), sought=False)
    return LaunchFiles(source=transcript.source, scripts=(script,), variables=final((script,), {}))
