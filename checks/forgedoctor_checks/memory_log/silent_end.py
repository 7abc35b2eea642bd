"""A log that breaks off while a model is loaded, without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor.check import ERROR, LIKELY, POSSIBLE, Check, Evidence, Finding, Fix, plain, t
from forgedoctor.facts import Transcript
from forgedoctor.facts.memory_log import MemoryLog

# The last words of a load that goes on without further lines.
_LOADING = re.compile(
    r"^\W*(?:Loading Model: |Loading weights \[|Loading model from |GGUF state dict:|StateDict Keys:|Begin to load \d"
    r"|To load target model|Requested to load|Using (?:Detected|Default) (?:UNet|T5|Model)|Using pre-quant|K-Model Created"
    r"|\[Unload\] Trying to free|\[Memory Management\]|Moving model)"
)
# "Press any key to continue . . ." of cmd, in the languages of its users.
_PAUSED = re.compile(
    r"^\W*(?:Press any key to continue|请按任意键继续|請按任意鍵繼續|続行するには何かキーを|계속하려면 아무 키나|Для продолжения нажмите"
    r"|Appuyez sur une touche|Dr.cken Sie eine beliebige Taste|Presione una tecla|Pressione qualquer tecla|Premere un tasto"
    r"|Naci.nij dowolny klawisz|Connection errored out)"
)
_TOLD = re.compile(
    r"Traceback|\bError\b|\w+Error\b|Exception|error:|Killed|Segmentation|Aborted|Interrupted with signal"
)
_BIG = re.compile(r"(?i)flux|\bt5|GGUF state dict|chroma|sd3")
SMALL_RAM = 17_000.0  # MiB that torch reports of a machine with 16 GB or less


def _ended(transcript: Transcript, log: MemoryLog | None) -> Iterator[Finding]:
    texts = [line for line in transcript.lines if line.text.strip()]
    if not texts or transcript.system in ("linux", "macos"):
        return
    paused = bool(_PAUSED.match(texts[-1].text))
    rest = texts[:-1] if paused else texts
    while rest and _PAUSED.match(rest[-1].text):
        rest = rest[:-1]
    if not rest or not _LOADING.match(rest[-1].text) or any(_TOLD.search(line.text) for line in rest[-40:]):
        return
    ram = log.ram if log else None
    short = ram is not None and ram <= SMALL_RAM and bool(_BIG.search("\n".join(one.text for one in rest[-15:])))
    if not paused and not short:
        return
    said = t("The program ended without a word while it loaded a model: main memory plus page file ran out.")
    if ram is not None:
        said = t(
            "The program ended without a word while it loaded a model: {ram} MiB of main memory plus the page file ran out.",
            ram=f"{ram:.0f}",
        )
    yield Finding(
        said,
        evidence=[Evidence(plain(rest[-1].text.strip()[:300]), rest[-1].where)],
        fixes=[
            Fix(
                title=t(
                    "Let Windows manage the page file, or set 40 GB or more on a drive with that much free; take a smaller "
                    "variant of the model and an fp8 T5"
                ),
                safety="needs-person",
            )
        ],
        severity=ERROR,
        confidence=LIKELY if paused and (ram is None or ram < 2 * SMALL_RAM) else POSSIBLE,
        explains=("linux-oom-killed", "launch-ends-at-once"),
    )


def checks() -> list[Check]:
    """A further way of knowing what the check of that id knows."""
    return [Check(_ended, id="ram-or-pagefile-exhausted", severity=ERROR, group="host")]
