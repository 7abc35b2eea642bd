"""Fixes: the edit of a launcher line, the new command line, and what is said where neither is sure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor import fixes
from forgedoctor.check import Step
from forgedoctor.facts import Host, Launch, LaunchFiles
from forgedoctor.facts.launch import Place, place_of
from forgedoctor.forge import flag_edit
from forgedoctor.forge.flag_edit import Change
from forgedoctor.forge.predict import predict
from forgedoctor.forge.scripts import final, read_script

BAT = [
    ("set COMMANDLINE_ARGS=", ["--api"], [], "set COMMANDLINE_ARGS=--api"),
    ("@SET commandline_args=--api", ["--listen"], [], "@SET commandline_args=--api --listen"),
    ("set COMMANDLINE_ARGS=--api --xformers", [], ["--xformers"], "set COMMANDLINE_ARGS=--api"),
    ("set COMMANDLINE_ARGS=--share --api", [], ["--share"], "set COMMANDLINE_ARGS=--api"),
    ("set COMMANDLINE_ARGS=--share", [], ["--share"], "set COMMANDLINE_ARGS="),
    ("set COMMANDLINE_ARGS=--port 80 --api", ["--port 7861"], ["--port"], "set COMMANDLINE_ARGS=--port 7861 --api"),
    ("set COMMANDLINE_ARGS=--port=80 --api", ["--port 7861"], [], "set COMMANDLINE_ARGS=--port 7861 --api"),
    ("set COMMANDLINE_ARGS=--po 80 --port 81", ["--port 82"], ["--port"], "set COMMANDLINE_ARGS=--port 82"),
    ("set COMMANDLINE_ARGS=--port -1 --api", [], ["--port"], "set COMMANDLINE_ARGS=--api"),
    ("set COMMANDLINE_ARGS=--api --api-auth a:b", [], ["--api"], "set COMMANDLINE_ARGS=--api-auth a:b"),
    ("set COMMANDLINE_ARGS=--api-auth=a:b --api", [], ["--api-auth"], "set COMMANDLINE_ARGS=--api"),
    ("set COMMANDLINE_ARGS=--gradio-auth a:b --gradio-auth-path x", [], ["--gradio-auth"],
     "set COMMANDLINE_ARGS=--gradio-auth-path x"),
    ("set COMMANDLINE_ARGS=--api 9999 --port 9999", [], ["9999"], "set COMMANDLINE_ARGS=--api --port 9999"),
    ("set COMMANDLINE_ARGS=--use-cpu all vae --api", [], ["--use-cpu"], "set COMMANDLINE_ARGS=--api"),
    ('set "COMMANDLINE_ARGS=--api"', ["--listen"], [], 'set "COMMANDLINE_ARGS=--api --listen"'),
    ('@set "COMMANDLINE_ARGS=--ckpt-dir "D:\\my models""', ["--api"], [],
     '@set "COMMANDLINE_ARGS=--ckpt-dir "D:\\my models" --api"'),
    ('set COMMANDLINE_ARGS="--api"', ["--listen"], [], 'set COMMANDLINE_ARGS="--api" --listen'),
    ('set COMMANDLINE_ARGS=--ckpt-dir "D:\\a b" --share', [], ["--share"], 'set COMMANDLINE_ARGS=--ckpt-dir "D:\\a b"'),
    ("set COMMANDLINE_ARGS=--api & rem mine", ["--listen"], [], "set COMMANDLINE_ARGS=--api --listen & rem mine"),
    ("set COMMANDLINE_ARGS=--api&& call webui.bat", ["--listen"], [],
     "set COMMANDLINE_ARGS=--api --listen&& call webui.bat"),
    ("if not defined X set COMMANDLINE_ARGS=--api", ["--listen"], [],
     "if not defined X set COMMANDLINE_ARGS=--api --listen"),
    ("set COMMANDLINE_ARGS=%COMMANDLINE_ARGS% --api", ["--listen"], [],
     "set COMMANDLINE_ARGS=%COMMANDLINE_ARGS% --api --listen"),
    ("set COMMANDLINE_ARGS=--api ^\n  --xformers", ["--listen"], [],
     "set COMMANDLINE_ARGS=--api ^\n  --xformers --listen"),
    ("set COMMANDLINE_ARGS=--api ^\n  --share ^\n  --xformers", [], ["--share"],
     "set COMMANDLINE_ARGS=--api ^\n  --xformers"),
    ("set COMMANDLINE_ARGS=--api ^\n  --share", [], ["--share"], "set COMMANDLINE_ARGS=--api"),
    ("set COMMANDLINE_ARGS=^\n --share ^\n --api", [], ["--share"], "set COMMANDLINE_ARGS=^\n --api"),
    ("set COMMANDLINE_ARGS=--api --share ^\n --xformers", [], ["--share"], "set COMMANDLINE_ARGS=--api ^\n --xformers"),
    ("set COMMANDLINE_ARGS=--port ^\n 80 ^\n --api", ["--port 81"], ["--port"],
     "set COMMANDLINE_ARGS=--port 81 ^\n --api"),
]  # fmt: skip
SH = [
    ('export COMMANDLINE_ARGS=""', ["--api"], [], 'export COMMANDLINE_ARGS="--api"'),
    ("export COMMANDLINE_ARGS=", ["--api"], [], 'export COMMANDLINE_ARGS="--api"'),
    ("export COMMANDLINE_ARGS=--api", ["--listen"], [], 'export COMMANDLINE_ARGS="--api --listen"'),
    ('export COMMANDLINE_ARGS="--api"', ["--listen"], [], 'export COMMANDLINE_ARGS="--api --listen"'),
    ("export COMMANDLINE_ARGS='--api'  # mine", ["--listen"], [], "export COMMANDLINE_ARGS='--api --listen'  # mine"),
    ('export COMMANDLINE_ARGS="--api --share" # not "--share"', [], ["--share"],
     'export COMMANDLINE_ARGS="--api" # not "--share"'),
    ('COMMANDLINE_ARGS+=" --api"', ["--listen"], [], 'COMMANDLINE_ARGS+=" --api --listen"'),
    ('export A=1 COMMANDLINE_ARGS="--api" B=2', [], ["--api"], 'export A=1 COMMANDLINE_ARGS="" B=2'),
    ('export COMMANDLINE_ARGS="$COMMANDLINE_ARGS --api"; echo', ["--listen"], [],
     'export COMMANDLINE_ARGS="$COMMANDLINE_ARGS --api --listen"; echo'),
    ('export COMMANDLINE_ARGS="--api \\\n  --share"', [], ["--share"], 'export COMMANDLINE_ARGS="--api"'),
    ('export COMMANDLINE_ARGS="--api \\\n  --share \\\n  --xformers"', ["--listen"], ["--share"],
     'export COMMANDLINE_ARGS="--api \\\n  --xformers --listen"'),
    ("export COMMANDLINE_ARGS=\"--ckpt-dir '/a b' --share\"", ["--api"], ["--share"],
     "export COMMANDLINE_ARGS=\"--ckpt-dir '/a b' --api\""),
    ('export COMMANDLINE_ARGS="--ckpt-dir \\"/a b\\" --share"', [], ["--ckpt-dir"],
     'export COMMANDLINE_ARGS="--share"'),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "add", "drop", "after"), BAT)
def test_edit_of_a_batch_line(raw: str, add: list[str], drop: list[str], after: str) -> None:
    assert fixes.edited(raw, add, drop, windows=True) == after


@pytest.mark.parametrize(("raw", "add", "drop", "after"), SH)
def test_edit_of_a_shell_line(raw: str, add: list[str], drop: list[str], after: str) -> None:
    assert fixes.edited(raw, add, drop, windows=False) == after


@pytest.mark.parametrize(
    ("raw", "windows"),
    [
        ("set COMMANDLINE_ARGS=--ckpt-dir 'x", True),  # cannot be split
        ("rem set COMMANDLINE_ARGS=--api", True),
        ("set COMMANDLINE_ARGS =--api", True),  # another variable
        ("export COMMANDLINE_ARGS=$(cat flags)--api'b'", False),  # several pieces
        ("# export COMMANDLINE_ARGS=--api", False),
        ("", True),
    ],
)
def test_a_line_that_is_not_understood_stays(raw: str, windows: bool) -> None:
    assert fixes.edited(raw, ["--listen"], ["--api"], windows=windows) == raw


def test_nothing_to_change_changes_nothing() -> None:
    raw = "set COMMANDLINE_ARGS=--api   --listen "
    assert fixes.edited(raw, ["--api"], ["--share"], windows=True) == raw


def test_a_renamed_flag_keeps_its_value_and_its_place() -> None:
    def rename(raw: str, names: Mapping[str, str]) -> str:
        return flag_edit.edited(raw, Change(rename=names), windows=True)

    wrong = {"--prot": "--port"}
    assert rename("set COMMANDLINE_ARGS=--prot 81 --api", wrong) == "set COMMANDLINE_ARGS=--port 81 --api"
    assert rename("set COMMANDLINE_ARGS=--prot=81", wrong) == "set COMMANDLINE_ARGS=--port=81"
    assert rename('set COMMANDLINE_ARGS="--listen --port 81"', {"--listen --port 81": "--listen --port 81"}) == (
        "set COMMANDLINE_ARGS=--listen --port 81"
    )


NAMES = st.sampled_from(["--api", "--listen", "--share", "--port", "--api-auth", "--nowebui"])
FLAGS = st.sampled_from(
    ["--api", "--listen", "--share", "--port 81", "--port=82", "--po 83", "--api-auth u:p", "--api-auth=u:p"]
)
LISTS = (st.lists(FLAGS, max_size=5), st.lists(NAMES, max_size=2), st.lists(FLAGS, max_size=2))


@given(*LISTS, st.booleans(), st.booleans())
def test_an_edited_line_gives_the_changed_words(
    there: list[str], drop: list[str], add: list[str], windows: bool, lines: bool
) -> None:
    glue = (" ^\n  " if windows else " \\\n  ") if lines else " "
    value = glue.join(there)
    raw = f"set COMMANDLINE_ARGS={value}" if windows else f'export COMMANDLINE_ARGS="{value}"'
    change = Change(tuple(add), tuple(drop))
    after = flag_edit.edited(raw, change, windows=windows)
    wanted = flag_edit.changed(shlex.split(" ".join(there)), change)
    assert flag_edit.value_words(after, windows=windows) == wanted
    kept = predict("forge", wanted).options
    assert not {name[2:].replace("-", "_") for name in drop} & set(kept) - _dests(add)


def _dests(add: list[str]) -> set[str]:
    return set(predict("forge", shlex.split(" ".join(add))).options)


@pytest.mark.parametrize(
    ("argv", "add", "drop", "line"),
    [
        ([], ["--api"], [], "python launch.py --api"),
        (["--lis", "--api"], [], ["--listen"], "python launch.py --api"),
        (["--port", "80", "--api", "--po=90"], ["--port 7861"], ["--port"], "python launch.py --port 7861 --api"),
        (["--api", "--api-auth", "a:b"], [], ["--api"], "python launch.py --api-auth a:b"),
        (["--ckpt-dir", "D:\\my models"], ["--api"], [], 'python launch.py --ckpt-dir "D:\\my models" --api'),
        (["--ckpt-dir", "/a$b"], ["--api"], [], "python launch.py --ckpt-dir '/a$b' --api"),
    ],
)
def test_command_line(argv: list[str], add: list[str], drop: list[str], line: str) -> None:
    assert fixes.command_line(argv, add, drop) == line


def _launch(argv: str = "", args: str = "", *, origin: str = "command line", **more: object) -> Launch:
    env = {"COMMANDLINE_ARGS": args} if args else {}
    words = tuple(shlex.split(argv))
    return Launch(origin=origin, effective=predict("forge", words, env), argv=words, env=env, **more)  # type: ignore[arg-type]


def _step(launch: Launch, **change: object) -> Step:
    (step,) = fixes.change_flags(launch, **change).steps  # type: ignore[arg-type]
    return step


def test_the_line_of_the_launcher_file_is_edited_where_the_flags_come_from_it() -> None:
    place = Place("webui-user.bat", 6, "set COMMANDLINE_ARGS=--api", "--api")
    for origin in ("webui-user.bat", "process 42", "environment"):
        step = _step(_launch(args="--api", origin=origin, place=place), add=["--listen"])
        assert (step.kind, step.file, step.line) == ("edit", "webui-user.bat", 6)
        assert step.after == "set COMMANDLINE_ARGS=--api --listen"


def test_a_file_that_the_running_forge_does_not_use_is_left_alone() -> None:
    place = Place("webui-user.bat", 6, "set COMMANDLINE_ARGS=--api", "--api")
    typed = _launch("--listen", origin="process 42", running=True, pid=42, place=place)
    assert _step(typed, drop=["--listen"]).kind == "flag"
    assert _step(typed, add=["--port 81"]).kind == "flag"


def test_a_typed_line_is_given_anew() -> None:
    given = _launch("--api --port 80")
    assert _step(given, add=["--port 81"], drop=["--port"]).command == "python launch.py --api --port 81"
    beside = _launch("--api", "--listen")
    assert _step(beside, add=["--port 81"]).command == "python launch.py --api --port 81"
    assert _step(beside, drop=["--listen"]) == Step(kind="flag", drop=("--listen",))  # it stands in the variable


def test_the_comment_in_a_fresh_shell_file_is_put_in_force() -> None:
    text = '#!/bin/bash\n# Flags, for example: export COMMANDLINE_ARGS="--api"\n#export COMMANDLINE_ARGS=""\n'
    scripts = (read_script("webui-user.sh", text.encode()),)
    files = LaunchFiles(scripts=scripts, variables=final(scripts, {}))
    step = _step(_launch(origin="defaults"), add=["--api"], files=files)
    assert (step.file, step.line, step.after) == ("webui-user.sh", 3, 'export COMMANDLINE_ARGS="--api"')
    assert place_of(files) is None


def test_writing_flags_uses_the_line_that_is_there() -> None:
    scripts = (read_script("webui-user.bat", b"@echo off\r\nset COMMANDLINE_ARGS=\r\ncall webui.bat\r\n"),)
    step = fixes.write_flags(LaunchFiles(scripts=scripts), "--api --port 81")
    assert step and (step.line, step.before) == (2, "set COMMANDLINE_ARGS=")
    assert step.after == "set COMMANDLINE_ARGS=--api --port 81"


def test_a_variable_is_commented_out_where_a_file_sets_it() -> None:
    scripts = (read_script("webui-user.bat", b"set GRADIO_SERVER_PORT=abc\r\n"),)
    (step,) = fixes.unset_variable("GRADIO_SERVER_PORT", None, LaunchFiles(scripts=scripts)).steps
    assert (step.before, step.after) == ("set GRADIO_SERVER_PORT=abc", "rem set GRADIO_SERVER_PORT=abc")
    (step,) = fixes.unset_variable("GRADIO_SERVER_PORT", Host(system="windows")).steps
    assert (step.command, step.interpreter) == ("set GRADIO_SERVER_PORT=", "cmd")


@pytest.mark.parametrize(
    ("system", "command"), [("windows", "taskkill /F /PID 42"), ("linux", "kill 42"), ("macos", "kill 42")]
)
def test_ending_a_process(system: str, command: str) -> None:
    assert fixes.stop_process(42, Host(system=system)).steps[0].command == command
