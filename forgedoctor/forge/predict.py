"""What a command line will make a fork do, exactly, without starting it.

The fork's own parsers are followed stage by stage (:mod:`~forgedoctor.forge.launcher`), with argparse's rules as of the
Python that Forge is run with (:mod:`~forgedoctor.forge.parse`); then what the server makes of the options
(:mod:`~forgedoctor.forge.bind`, :mod:`~forgedoctor.forge.unused`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forgedoctor.forge.bind import Bind, bind, gradio_import_error
from forgedoctor.forge.effective import Abbreviation, EffectiveLaunch, Exit, Failure, Ignored, Unknown
from forgedoctor.forge.flags import Flag, fork_or_default, instead_of, known_elsewhere, nearest
from forgedoctor.forge.launcher import (
    ENV,
    LENIENT,
    Ending,
    Word,
    all_words,
    before_environment,
    edited,
    late_grammars,
    read,
    strict_grammar,
)
from forgedoctor.forge.parse import Given, Grammar, Parsed, Stop
from forgedoctor.forge.unused import ignored

__all__ = ["Abbreviation", "EffectiveLaunch", "Exit", "Failure", "Ignored", "Unknown", "predict"]


def predict(
    fork: str,
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    extension_flags: Sequence[Flag] = (),
    origins: Sequence[str] = (),
    exists: Callable[[str], bool] | None = None,
) -> EffectiveLaunch:
    """What ``launch.py`` of a fork makes of these arguments and this environment.

    ``argv``: the arguments after ``launch.py``. ``env``: the environment; COMMANDLINE_ARGS, IGNORE_CMD_ARGS_ERRORS,
    GRADIO_SERVER_NAME, GRADIO_SERVER_PORT and GRADIO_NUM_PORTS count. ``extension_flags``: what the user's extensions
    add. ``origins``: for each of ``argv`` where it was written, for ``sources``. ``exists``: tells whether a folder is
    there, for the flags that take over another installation's folders (without it none is). Any list of strings has an
    answer; nothing is printed, read or raised. An unknown fork counts as ``forge``.
    """
    fork = fork_or_default(fork)
    run = _Run(fork, {name: _encodable(value) for name, value in (env or {}).items() if name in _VARIABLES})
    try:
        run.words = [Word(_encodable(text), "command line") for text in argv]
        run.words = all_words([word.text for word in run.words], run.env, origins)
        values = before_environment(fork, run.words)
        run.words = edited(fork, run.words, values, exists or (lambda _: False))
        off = values.get("disable_all_extensions") or values.get("disable_extra_extensions")
        run.late(() if off else extension_flags)
    except Ending as ending:
        run.end = Exit(code=ending.code, stage=ending.stage, message=ending.message)
    return run.outcome()


_VARIABLES = (ENV, LENIENT, "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS")


def _encodable(text: str) -> str:
    """The text with lone surrogates (bytes that are no UTF-8) spelt out, so that any report can hold it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class _Run:
    """One prediction while it is made."""

    def __init__(self, fork: str, env: dict[str, str]) -> None:
        self.fork, self.env = fork, env
        self.words: list[Word] = []
        self.parsed = Parsed({}, [], [])
        self.end: Exit | None = None
        self.grammar: Grammar = late_grammars(fork)[-1]

    def late(self, third_party: Sequence[Flag]) -> None:
        """The parses when the server starts. Raises Ending."""
        self.grammar = strict_grammar(self.fork, third_party)
        if broken := gradio_import_error(self.fork, self.env):
            raise Ending(broken.code, broken.stage, broken.message)
        for grammar in late_grammars(self.fork)[:-1]:
            read(grammar, self.words, "late")
        self.parsed = read(self.grammar, self.words, "late")
        if self.parsed.extras and LENIENT not in self.env:
            left = " ".join(self.words[index].text for index in self.parsed.extras)
            raise Ending(2, "late", f"unrecognized arguments: {left}")

    def outcome(self) -> EffectiveLaunch:
        """All that is known when it is done."""
        argv = [word.text for word in self.words]
        options, sources = self._changed()
        mode = "api-only" if "--nowebui" in argv else "webui"
        api = mode == "api-only" or bool(options.get("api"))
        bound: Bind = bind(self.fork, mode, options, self.env, api=api)
        public = any(options.get(dest) for dest in ("share", "listen", "ngrok", "server_name"))
        stops = self.end is not None
        return EffectiveLaunch(
            fork=self.fork,
            mode=mode,
            api=api,
            host=bound.host,
            port=bound.port if isinstance(bound.port, int) else None,
            port_range=bound.port_range,
            listens=None if stops else bound.listens,
            exit=self.end,
            fails=None if stops else bound.fails,
            options=options,
            ignored=ignored(self.fork, mode, api, options, self.parsed.given, argv),
            unknown=tuple(self._unknown(argv[index]) for index in self._strangers()),
            abbreviations=self._abbreviations(),
            argv=tuple(argv),
            sources=sources | bound.env,
            extension_access_disabled=public and not options.get("enable_insecure_extension_access"),
        )

    def _changed(self) -> tuple[dict[str, Any], dict[str, str]]:
        options: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for one in self.parsed.given:
            dest = one.flag.dest
            value = self.parsed.values[dest]
            if value != one.flag.default:
                options[dest] = value
                sources[dest] = self.words[one.index].source
        return options, sources

    def _strangers(self) -> list[int]:
        """The places of words that nothing knows; where a parse broke off, those that look like unknown flags."""
        if self.parsed.given or self.parsed.extras or self.end is None:
            return self.parsed.extras
        found = []
        for index, word in enumerate(self.words):
            try:
                option = self.grammar.classify(word.text)
            except Stop:
                continue
            if option and option.flag is None and word.text not in ("--", "--exit"):
                found.append(index)
        return found

    def _unknown(self, token: str) -> Unknown:
        name = token.split("=", 1)[0]
        return Unknown(
            token=token,
            nearest=nearest(self.fork, token),
            elsewhere=known_elsewhere(token, self.fork),
            instead=instead_of(name, self.fork),
        )

    def _abbreviations(self) -> tuple[Abbreviation, ...]:
        short = [one for one in self.parsed.given if _is_short(one)]
        return tuple(Abbreviation(given=one.written, flag=one.flag.flag) for one in short)


def _is_short(one: Given) -> bool:
    return one.written.startswith("--") and one.written != one.flag.flag
