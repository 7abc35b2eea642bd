"""The parsers that each fork's launcher runs, in order, and how it edits the command line between them.

Sources: ``modules/paths_internal.py``, ``backend/args.py``, ``modules/timer.py``, ``modules/launch_utils.py``,
``launch.py``, ``modules_forge/shared.py`` and ``modules/shared_cmd_options.py`` of each fork.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from forgedoctor.forge.flags import Flag, flags
from forgedoctor.forge.parse import Crash, Grammar, Parsed, Stop

ROOT = "<root>"
ENV = "COMMANDLINE_ARGS"
LENIENT = "IGNORE_CMD_ARGS_ERRORS"
_TEST_SERVER = ("--api", "--ckpt", "--skip-torch-cuda-test", "--disable-nan-check")
_OLD = (
    ("--ckpt-dir", "models/Stable-diffusion"),
    ("--vae-dir", "models/VAE"),
    ("--hypernetwork-dir", "models/hypernetworks"),
    ("--embeddings-dir", "embeddings"),
    ("--lora-dir", "models/lora"),
    ("--controlnet-dir", "models/ControlNet"),
    ("--controlnet-preprocessor-models-dir", "extensions/sd-webui-controlnet/annotator/downloads"),
)
_HOMES = {
    ("forge", "forge_ref_a1111_home"): _OLD,
    ("reforge", "forge_ref_a1111_home"): tuple((flag, folder.replace("/lora", "/Lora")) for flag, folder in _OLD),
    ("classic", "forge_ref_a1111_home"): (
        ("--ckpt-dir", "models/Stable-diffusion"),
        ("--vae-dir", "models/VAE"),
        ("--embeddings-dir", "models/embeddings"),
        ("--lora-dir", "models/Lora"),
        ("--controlnet-dir", "models/ControlNet"),
        ("--controlnet-preprocessor-models-dir", "models/ControlNetPreprocessor"),
    ),
    ("neo", "forge_ref_a1111_home"): (
        ("--embeddings-dir", "embeddings"),
        ("--esrgan-models-path", "ESRGAN"),
        ("--lora-dirs", "Lora"),
        ("--ckpt-dirs", "Stable-diffusion"),
        ("--text-encoder-dirs", "text_encoder"),
        ("--vae-dirs", "VAE"),
        ("--controlnet-dir", "ControlNet"),
        ("--controlnet-preprocessor-models-dir", "ControlNetPreprocessor"),
    ),
    ("neo", "forge_ref_comfy_home"): (
        ("--ckpt-dirs", "checkpoints"),
        ("--ckpt-dirs", "diffusion_models"),
        ("--ckpt-dirs", "unet"),
        ("--text-encoder-dirs", "clip"),
        ("--text-encoder-dirs", "text_encoders"),
        ("--lora-dirs", "loras"),
        ("--vae-dirs", "vae"),
        ("--controlnet-dirs", "controlnet"),
    ),
}


class Word(NamedTuple):
    """One word of the command line, and where it came from."""

    text: str
    source: str


class Ending(Exception):
    """The program ends before it serves anything."""

    def __init__(self, code: int, stage: str, message: str) -> None:
        super().__init__(message)
        self.code, self.stage, self.message = code, stage, message


def _of_stages(fork: str, stages: Collection[str]) -> tuple[Flag, ...]:
    return tuple(flag for flag in flags(fork) if flag.stage in stages)


def _named(fork: str, *names: str) -> tuple[Flag, ...]:
    return tuple(flag for flag in flags(fork) if flag.known and flag.flag in names)


@cache
def early_grammars(fork: str) -> tuple[Grammar, ...]:
    """The lenient parsers that run at once; the last of them knows all flags but the extensions'."""
    backend = _of_stages(fork, {"backend"})
    main = Grammar(_of_stages(fork, {"backend", "early", "main"}), help=True)
    timer = Grammar(_named(fork, "--log-startup"), help=False)
    if fork == "neo":  # one parser that grows: paths_internal.py adds two flags to the back end's
        early = Grammar(_of_stages(fork, {"backend", "early"}), help=False)
        return Grammar(backend, help=False), early, timer, main
    folders = Grammar(_named(fork, "--data-dir", "--models-dir", "--model-ref"), help=False)
    # Forge reads its GPU flags alone first, help included: so its --help shows these only.
    alone = (Grammar(backend, help=True),) if fork == "forge" else ()
    return folders, *alone, timer, main


@cache
def late_grammars(fork: str) -> tuple[Grammar, ...]:
    """The parsers that run when the server starts; the last one has the built-in extensions' flags and is strict."""
    main = early_grammars(fork)[-1]
    late = _of_stages(fork, {"late"})
    growing = (main.with_flags(late),) if late else ()
    return *growing, main.with_flags(late + _of_stages(fork, {"extension"}))


def strict_grammar(fork: str, third_party: Sequence[Flag]) -> Grammar:
    """The last parser, with the flags that extensions of the user add before the built-in ones."""
    if not third_party:
        return late_grammars(fork)[-1]
    before = (late_grammars(fork)[-2:-1] or early_grammars(fork)[-1:])[0]
    return before.with_flags((*third_party, *_of_stages(fork, {"extension"})))


def all_words(argv: Sequence[str], env: Mapping[str, str], origins: Sequence[str]) -> list[Word]:
    """The arguments, then COMMANDLINE_ARGS split as a Unix shell would. Raises Ending where that cannot be."""
    words = [Word(text, origins[at] if at < len(origins) else "command line") for at, text in enumerate(argv)]
    try:
        return words + [Word(text, ENV) for text in shlex.split(env.get(ENV, ""))]
    except ValueError as error:
        raise Ending(1, "early", f"ValueError: {error}") from None


def read(grammar: Grammar, words: Sequence[Word], stage: str) -> Parsed:
    """One parse. Raises Ending where the program ends in it."""
    try:
        return grammar.parse([word.text for word in words])
    except Stop as stop:
        raise Ending(stop.code, stage, stop.message) from None
    except Crash as crash:
        raise Ending(1, stage, str(crash)) from None


def before_environment(fork: str, words: Sequence[Word]) -> dict[str, Any]:
    """The parses at launch and what follows at once. Returns the options; raises Ending."""
    values: dict[str, Any] = {}
    for grammar in early_grammars(fork):
        values = read(grammar, words, "early").values
    if values.get("dump_sysinfo"):
        raise Ending(0, "early", "writes its system report and ends")
    if not values.get("skip_prepare_environment") and any(word.text == "--exit" for word in words):
        raise Ending(0, "late", "Exiting because of --exit argument")
    return values


def edited(fork: str, words: list[Word], values: Mapping[str, Any], exists: Callable[[str], bool]) -> list[Word]:
    """The command line after ``--test-server`` and the ``--forge-ref`` flags that name a folder have added to it."""
    more = list(words)
    if values.get("test_server") and fork != "classic":
        present = {word.text for word in words}
        for flag in _TEST_SERVER:
            if flag not in present:
                more.append(Word(flag, "--test-server"))
                if flag == "--ckpt":
                    more.append(Word(f"{ROOT}/test/test_files/empty.pt", "--test-server"))
    for (of, dest), folders in _HOMES.items():
        home = values.get(dest)
        if of == fork and isinstance(home, str):
            more += _from_home(fork, home, folders, [word.text for word in more], exists)
    return more


def _from_home(
    fork: str, home: str, folders: Iterable[tuple[str, str]], present: Sequence[str], exists: Callable[[str], bool]
) -> Iterator[Word]:
    """The folders of another installation that exist. Neo looks below models too and adds to flags already there."""
    root = home.rstrip("/") + "/" if home else ""
    for flag, folder in folders:
        places = (root + folder, f"{root}models/{folder}") if fork == "neo" else (root + folder,)
        path = next((place for place in places if exists(place)), None)
        if path and (fork == "neo" or flag not in present):
            yield Word(flag, "the other installation")
            yield Word(path, "the other installation")
