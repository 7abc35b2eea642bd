"""What holds for every command line, not only for those that somebody thought of."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forgedoctor.forge.flags import FORKS, Flag, flags
from forgedoctor.forge.launcher import early_grammars, late_grammars
from forgedoctor.forge.parse import Grammar, Stop
from forgedoctor.forge.predict import EffectiveLaunch, predict

forks = st.sampled_from(FORKS)
# any text, lone surrogates, NUL and control characters too
anything = st.text(max_size=12)
PARTS = sorted({flag.flag for fork in FORKS for flag in flags(fork)})
pieces = st.one_of(
    anything,
    st.sampled_from(PARTS),
    st.sampled_from(PARTS).flatmap(lambda name: st.integers(2, len(name)).map(lambda end: name[:end])),
    st.builds("{}={}".format, st.sampled_from(PARTS), anything),
    st.sampled_from(["--", "-", "-f", "-fh", "--port", "7860", "0", "-1", "all", "{}", "\u2014api", "--exit"]),
)
lines = st.lists(pieces, max_size=7)
names = st.sampled_from(["COMMANDLINE_ARGS", "IGNORE_CMD_ARGS_ERRORS", "GRADIO_SERVER_PORT", "GRADIO_SERVER_NAME", "X"])


@settings(max_examples=400, deadline=None)
@given(fork=st.one_of(forks, anything), argv=lines, env=st.dictionaries(names, anything, max_size=3))
def test_every_command_line_has_an_outcome_that_can_be_stored(fork: str, argv: list[str], env: dict[str, str]) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        launch = predict(fork, argv, env, origins=argv)
    assert printed.getvalue() == ""
    assert launch.fork in FORKS and launch.mode in ("webui", "api-only")
    stored = msgspec.json.encode(launch)
    assert msgspec.json.decode(stored, type=EffectiveLaunch).argv == launch.argv
    if launch.exit is None:
        assert set(launch.sources) >= set(launch.options)
        assert launch.port is None or launch.port_range is None


def test_deep_json_does_not_break_the_doctor() -> None:
    launch = predict("forge", ["--ngrok-options", "[" * 100_000])
    assert launch.exit is not None


@settings(deadline=None)
@given(fork=forks, ports=st.lists(st.integers(1, 65535), min_size=1, max_size=5), in_variable=st.integers(0, 4))
def test_the_last_value_wins_and_the_variable_comes_last(fork: str, ports: list[int], in_variable: int) -> None:
    words = [f"--port={port}" for port in ports]
    kept, moved = words[: len(words) - in_variable], words[max(0, len(words) - in_variable) :]
    launch = predict(fork, kept, {"COMMANDLINE_ARGS": shlex.join(moved)})
    assert launch.port == launch.listens == ports[-1]
    assert launch.sources["port"] == ("COMMANDLINE_ARGS" if moved else "command line")


@settings(max_examples=200, deadline=None)
@given(fork=forks, data=st.data())
def test_an_abbreviation_that_fits_one_flag_is_that_flag(fork: str, data: st.DataObject) -> None:
    known = [flag for flag in flags(fork) if flag.known and flag.flag.startswith("--")]
    flag = data.draw(st.sampled_from(known))
    short = flag.flag[: data.draw(st.integers(3, len(flag.flag)))]
    everywhere = (*early_grammars(fork), *late_grammars(fork))
    assume(all(len([name for name in one.options if name.startswith(short)]) <= 1 for one in everywhere))
    value = {"int": "3", "float": "0.5", "json": "[]"}.get(flag.type, "x")
    values = [] if flag.switch else [str((flag.choices or (value,))[-1])]
    given_short, in_full = predict(fork, [short, *values]), predict(fork, [flag.flag, *values])
    assert (given_short.exit, given_short.options) == (in_full.exit, in_full.options)


SAMPLE = (
    Flag(flag="--port", dest="port", type="int"),
    Flag(flag="--portable", dest="portable", action="store_true", default=False),
    Flag(flag="--name", dest="name"),
    Flag(flag="--level", dest="level", type="int", nargs="?", const=2),
    Flag(flag="--parts", dest="parts", nargs="+", default=[]),
    Flag(flag="--all", dest="all", nargs="*", default=None),
    Flag(flag="--mode", dest="mode", choices=("a", "b"), default="a"),
    Flag(flag="--more", dest="more", action="append", default=[]),
    Flag(flag="--low", dest="low", action="store_true", default=False, group="vram"),
    Flag(flag="--high", dest="high", action="store_true", default=False, group="vram"),
    Flag(flag="--off", dest="off", action="store_false", default=None),
)


class RefusedError(Exception):
    pass


class RealParser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise RefusedError(message)


def real_parser() -> RealParser:
    parser = RealParser(add_help=False)
    groups: dict[str, argparse._MutuallyExclusiveGroup] = {}
    for flag in SAMPLE:
        home = groups.setdefault(flag.group, parser.add_mutually_exclusive_group()) if flag.group else parser
        if flag.switch:
            home.add_argument(flag.flag, action=flag.action, default=flag.default)
            continue
        home.add_argument(
            flag.flag,
            action=flag.action,
            type=int if flag.type == "int" else str,
            default=flag.default,
            choices=flag.choices,
            **({"nargs": flag.nargs, "const": flag.const} if flag.nargs else {}),
        )
    return parser


spelled = st.sampled_from([flag.flag for flag in SAMPLE])
words = st.one_of(
    spelled,
    spelled.flatmap(lambda name: st.integers(3, len(name)).map(lambda end: name[:end])),
    st.builds("{}={}".format, spelled, st.sampled_from(["", "1", "x", "a=b"])),
    st.sampled_from(["1", "-1", "-1.5", "x", "a", "", "a b", "--x", "--x y", "-", "\u2014port", "--port=+1_0"]),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(words, max_size=6))
def test_reads_like_argparse_itself(argv: list[str]) -> None:
    # Left out where releases of Python differ: single dashes, "--" and values that are "--".
    try:
        namespace, extras = real_parser().parse_known_args(argv)
        real = ({flag.dest: getattr(namespace, flag.dest) for flag in SAMPLE}, extras)
    except RefusedError:
        real = None
    try:
        parsed = Grammar(SAMPLE, help=False).parse(argv)
        values = {flag.dest: parsed.values.get(flag.dest, flag.default) for flag in SAMPLE}
        ours = (values, [argv[index] for index in parsed.extras])
    except Stop as stop:
        assert stop.code == 2
        ours = None
    assert ours == real
