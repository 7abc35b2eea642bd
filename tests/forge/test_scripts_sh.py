"""Shell scripts as bash sources them: what Python sees, and the slips that people make."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgedoctor.forge.scripts import PROBLEM_KINDS, Script, final, read_script

BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(not BASH or os.name != "posix", reason="no bash here")


def sh(text: str, name: str = "webui-user.sh") -> Script:
    return read_script(name, textwrap.dedent(text).lstrip("\n").encode())


def args(script: Script) -> str:
    """The COMMANDLINE_ARGS that Forge gets."""
    return final([script], {})["COMMANDLINE_ARGS"][0]


def kinds(script: Script) -> list[tuple[str, int]]:
    return [(problem.kind, problem.line) for problem in script.problems]


STOCK = """
    #!/bin/bash
    # Take the mark away from the lines that you need.

    # where it lives
    #install_dir="/home/$(whoami)"

    # Flags for webui.py, such as: export COMMANDLINE_ARGS="--lowvram --xformers"
    #export COMMANDLINE_ARGS=""

    #python_cmd="python3"
    #venv_dir="venv"
    #export TORCH_COMMAND="pip install torch"
    """


def test_the_file_as_shipped_sets_nothing_and_has_no_problem() -> None:
    script = sh(STOCK)
    assert (script.kind, script.assignments, script.launches, script.problems) == ("sh", (), (), ())
    assert final([script], {"COMMANDLINE_ARGS": "--api"}) == {"COMMANDLINE_ARGS": ("--api", "environment")}


# Scripts that bash itself is asked about below; the first name is the one to compare.
REAL = [
    'export COMMANDLINE_ARGS="--api --listen"',
    "export COMMANDLINE_ARGS='--api --listen'",
    "export COMMANDLINE_ARGS=--api",
    "export COMMANDLINE_ARGS=--api\\ --listen",
    'export COMMANDLINE_ARGS="--api \\\n  --listen"',
    'export COMMANDLINE_ARGS="--api\n--listen"',
    "export COMMANDLINE_ARGS='--api \\\n--listen'",
    "export COMMANDLINE_ARGS=--api\\\n--listen",
    'export COMMANDLINE_ARGS="--api" # --listen',
    "export COMMANDLINE_ARGS=--api#1",
    'COMMANDLINE_ARGS="--api"',
    'COMMANDLINE_ARGS="--api"\nexport COMMANDLINE_ARGS',
    "declare -x COMMANDLINE_ARGS=--api",
    "set -a\nCOMMANDLINE_ARGS=--api",
    "export -n COMMANDLINE_ARGS=--api",
    'export COMMANDLINE_ARGS="--api"\nunset COMMANDLINE_ARGS',
    'X=--api\nexport COMMANDLINE_ARGS="$X ${X} ${Y:-none} ${X:+some} ${Y-a}"',
    'X=\nexport COMMANDLINE_ARGS="${X:-empty}${X-set}${X:+full}${X+there}"',
    'export COMMANDLINE_ARGS="--api"\nexport COMMANDLINE_ARGS+=" --listen"',
    ': "${COMMANDLINE_ARGS:=--api}"\nexport COMMANDLINE_ARGS',
    'export COMMANDLINE_ARGS="${COMMANDLINE_ARGS:---api}"',
    "export HF_HOME=~/hf COMMANDLINE_ARGS=--api",
    "A=1 B=$A\nexport COMMANDLINE_ARGS=$B",
    "A=1\nexport A=2 COMMANDLINE_ARGS=$A",
    "export COMMANDLINE_ARGS=--api --listen",
    "COMMANDLINE_ARGS=--api --listen\nexport COMMANDLINE_ARGS",
    'export COMMANDLINE_ARGS= "--api"',
    'export COMMANDLINE_ARGS = "--api"',
    'export COMMANDLINE_ARGS="--ckpt-dir "/mnt/my models" --api"',
    "export COMMANDLINE_ARGS=$'--api\\t--listen'",
    'export COMMANDLINE_ARGS="a\\"b \\$HOME \\x \\\\"',
    'if [ -z "$COMMANDLINE_ARGS" ]; then\n  export COMMANDLINE_ARGS=--api\nelse\n  export COMMANDLINE_ARGS=--no\nfi',
    '[[ -n "${COMMANDLINE_ARGS}" ]] || export COMMANDLINE_ARGS=--api',
    'if [[ "$HOME" == "/nowhere" ]]\nthen\n  export COMMANDLINE_ARGS=--a\nelif [ ! "$HOME" = x ]; then\n'
    "  export COMMANDLINE_ARGS=--b\nfi",
    "( export COMMANDLINE_ARGS=--api )",
    "export COMMANDLINE_ARGS=--api\n(COMMANDLINE_ARGS=--sub)",
    "flags() {\n  export COMMANDLINE_ARGS=--api\n}",
    'cat <<END\nexport COMMANDLINE_ARGS="--no\nEND\nexport COMMANDLINE_ARGS=--api',
    "export COMMANDLINE_ARGS=--api &\nwait",
    'export COMMANDLINE_ARGS="--api\nexport HF_HOME="x"',
    "export HF_HOME=x\nexport COMMANDLINE_ARGS='--api",
    "export COMMANDLINE_ARGS=--api\nif true; then\nexport COMMANDLINE_ARGS=--no",
    "export COMMANDLINE_ARGS=--api\nreturn\nexport COMMANDLINE_ARGS=--no",
    "export COMMANDLINE_ARGS=--api > /dev/null 2>&1",
    "export COMMANDLINE_ARGS=--api\r",
    'export COMMANDLINE_ARGS="--api \\\r\n --listen"\r',
]


def sourced(folder: Path, text: str) -> dict[str, str]:
    """The environment of a program after bash sourced the text, as webui.sh does."""
    assert BASH
    file = folder / "webui-user.sh"
    file.write_bytes(text.encode())
    script = 'source "$1" >/dev/null 2>&1; export -p >/dev/null; exec /usr/bin/env -0'
    environment = {"PATH": str(folder), "HOME": "/home/zoe", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([BASH, "--norc", "-c", script, "bash", str(file)], env=environment, capture_output=True)
    pairs = (entry.partition("=") for entry in done.stdout.decode("utf-8", "replace").split("\0"))
    return {name: value for name, _, value in pairs}


def seen(text: str, name: str) -> str | None:
    """What this program says that a program sees."""
    found = final([read_script("webui-user.sh", text.encode())], {"HOME": "/home/zoe"}).get(name)
    return found[0] if found else None


@needs_bash
@pytest.mark.real
@pytest.mark.parametrize("text", REAL)
def test_bash_agrees(tmp_path: Path, text: str) -> None:
    real = sourced(tmp_path, text + "\n")
    for name in ("COMMANDLINE_ARGS", "HF_HOME"):
        assert (seen(text + "\n", name) or "") == real.get(name, "")


@needs_bash
@pytest.mark.real
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab-= \"'\\\n#~^%:;,/é–“", max_size=20), st.sampled_from(['"{}"', "'{}'", "{}", '"{}" --x']))
def test_bash_agrees_on_any_quoting(tmp_path: Path, value: str, form: str) -> None:
    text = "export HF_HOME=before\nexport COMMANDLINE_ARGS=" + form.format(value) + "\n"
    checked = subprocess.run([str(BASH), "-n", "-c", text], capture_output=True, text=True)
    if "near unexpected token" in checked.stderr:
        return  # Other syntax errors than an open quotation mark are not followed.
    real = sourced(tmp_path, text)
    assert (seen(text, "COMMANDLINE_ARGS") or "") == real.get("COMMANDLINE_ARGS", "")
    assert seen(text, "HF_HOME") == real.get("HF_HOME")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('COMMANDLINE_ARGS="--api"', [("not-exported", 1)]),
        ("export COMMANDLINE_ARGS=--api --listen", [("value-cut-short", 1)]),
        ('export COMMANDLINE_ARGS="--ckpt-dir "/mnt/my models" --api"', [("value-cut-short", 1)]),
        ("COMMANDLINE_ARGS=--api --listen", [("value-cut-short", 1)]),
        ('export COMMANDLINE_ARGS= "--api"', [("space-after-equals", 1)]),
        ('COMMANDLINE_ARGS= "--api"', [("space-after-equals", 1)]),
        ('export COMMANDLINE_ARGS = "--api"', [("space-before-equals", 1)]),
        ('export COMMANDLINE_ARGS ="--api"', [("space-before-equals", 1)]),
        ('COMMANDLINE_ARGS = "--api"', [("space-before-equals", 1)]),
        ('export COMMANDLINE_ARGS "--api"', [("missing-equals", 1)]),
        ("--api --listen", [("flags-on-own-line", 1)]),
        ('export COMMANDLINE_ARGS="--api"\n  --listen', [("flags-on-own-line", 2)]),
        ('export COMMANDLINE_ARGS="--api \\\n# --xformers \\\n --listen"', [("comment-in-continuation", 2)]),
        ("export COMMANDLINE_ARGS=--api\\\n # --xformers", [("comment-in-continuation", 2)]),
        ("export COMMANDLINE_ARGS='\"--api --listen\"'", [("quoted-whole-value", 1)]),
        ('export COMMANDLINE_ARGS="--ckpt-dir E:\\models"', [("backslash-lost", 1)]),
        ('export COMMANDLINE_ARGS="--gradio-auth zoë:it\'s"', [("unbalanced-quote", 1)]),
        ('export COMMANDLINE_ARGS="--api', [("unbalanced-quote", 1)]),
        ('export COMMANDLINE_ARGS="--api\nexport HF_HOME="x"', [("unbalanced-quote", 1)]),
        ("export COMMANDLINE_ARGS=“--api --listen”", [("typographic-characters", 1)]),
        ('export COMMANDLINE_ARGS="—-api"', [("typographic-characters", 1)]),
        ("export COMMANDLINE_ARGS=--gradio-auth=me:a&b", [("ampersand", 1)]),
        ("export COMMANDLINE-ARGS=--api", [("misspelt-variable", 1)]),
        ("COMMANDLINE-ARGS=--api", [("misspelt-variable", 1)]),
        ("export COMMAND_LINE_ARGS=--api", [("misspelt-variable", 1)]),
        ("export commandline_args=--api", [("misspelt-variable", 1)]),
        ('#export COMMANDLINE_ARGS="--api"', [("commented-out", 1)]),
        ("set COMMANDLINE_ARGS=--api", [("bat-syntax-in-sh", 1)]),
        ("rem my flags", [("bat-syntax-in-sh", 1)]),
        (":: my flags", [("bat-syntax-in-sh", 1)]),
        ("@echo off\ncall webui.bat", [("bat-syntax-in-sh", 1), ("bat-syntax-in-sh", 2)]),
        ('export COMMANDLINE_ARGS="%COMMANDLINE_ARGS% --api"', [("bat-syntax-in-sh", 1)]),
        ('export COMMANDLINE_ARGS="--api ^\n --listen"', [("bat-syntax-in-sh", 1)]),
        ("./webui.sh\nexport COMMANDLINE_ARGS=--api", [("after-launch", 2)]),
        ("if true; then\nexport COMMANDLINE_ARGS=--api", [("unclosed-block", 1)]),
        ('export COMMANDLINE_ARGS="--api"\r\nexport HF_HOME=x\r', [("crlf-in-sh", 1)]),
    ],
)
def test_slips(text: str, found: list[tuple[str, int]]) -> None:
    script = sh(text)
    assert kinds(script) == found
    assert all(problem.kind in PROBLEM_KINDS and problem.detail for problem in script.problems)


@pytest.mark.parametrize(
    "text",
    [
        'export COMMANDLINE_ARGS="--api \\\n  --listen"',
        "export COMMANDLINE_ARGS=\"--ckpt-dir '/mnt/my models' --api\"",
        'export COMMANDLINE_ARGS="--ckpt-dir /mnt/my\\ models"',
        'COMMANDLINE_ARGS="--api"\nexport COMMANDLINE_ARGS',
        'python_cmd="python3.11"\nvenv_dir="-"\nNO_TCMALLOC="True"',
        'COMMANDLINE_ARGS="--api" ./webui.sh',
        "env COMMANDLINE_ARGS=--api python3 launch.py",
        "export COMMANDLINE_ARGS=--api $EMPTY",
        'case "$1" in\n  --api) export COMMANDLINE_ARGS=--api;;\n  --a|--b) :;;\nesac',
        "echo COMMANDLINE_ARGS = nothing",
        '# such as export COMMANDLINE_ARGS="--lowvram"',
    ],
)
def test_what_is_no_slip(text: str) -> None:
    assert sh(text + "\n").problems == ()


@pytest.mark.parametrize(
    ("line", "program", "arguments", "starts"),
    [
        ("./webui.sh --api", "webui.sh", "--api", True),
        ("exec bash /opt/forge/webui.sh -f", "webui.sh", "-f", True),
        (
            '"${python_cmd}" -u launch.py --ckpt-dir "/mnt/my models" "$@"',
            "launch.py",
            "--ckpt-dir '/mnt/my models'",
            True,
        ),
        ("accelerate launch --num_cpu_threads_per_process=6 launch.py", "launch.py", "", True),
        ("sudo -u zoe ./webui.sh", "webui.sh", "", True),
        ("source ./webui-user.sh", "webui-user.sh", "", False),
        (". webui-macos-env.sh", "webui-macos-env.sh", "", False),
        ("(cd /opt/forge && ./webui.sh --api)", "webui.sh", "--api", True),
        ("./webui.sh --api | tee log.txt", "webui.sh", "--api", True),
    ],
)
def test_what_is_started(line: str, program: str, arguments: str, starts: bool) -> None:
    (launch,) = sh(line, "start.sh").launches
    assert (launch.program, launch.arguments, launch.starts, launch.line) == (program, arguments, starts, 1)


@pytest.mark.parametrize(
    "line", ["chmod +x webui.sh", "sudo chmod +x webui.sh", "echo launch.py", "nano webui-user.sh"]
)
def test_what_is_not_started(line: str) -> None:
    assert sh(line, "start.sh").launches == ()


def test_conditions_and_functions_mark_what_they_hold() -> None:
    script = sh(
        """
        if [[ "$(uname -m)" == arm64 ]]; then
          export TORCH_COMMAND="pip install one"
        else
          export TORCH_COMMAND="pip install two"
        fi
        for i in 1 2; do export HF_HOME=/hf; done
        setup() { export GIT=git; }
        [[ -z "$PYTHON" ]] && PYTHON=python3
        export REQS_FILE=reqs.txt
        """
    )
    assert [(item.name, item.conditional) for item in script.assignments] == [
        ("TORCH_COMMAND", True), ("TORCH_COMMAND", True), ("HF_HOME", True), ("GIT", True), ("PYTHON", True),
        ("REQS_FILE", False),
    ]  # fmt: skip
    assert final([script], {})["TORCH_COMMAND"] == ("pip install two", "webui-user.sh line 4 (conditional)")


def test_unknown_things_count_as_empty_and_are_named() -> None:
    script = sh('BASE=$ROOT/ai\nexport COMMANDLINE_ARGS="--ckpt-dir $BASE/models --port $(cat port) $1"')
    found = script.assignments[-1]
    assert found.value == "--ckpt-dir /ai/models --port  "
    assert found.expanded == ("ROOT", "$(cat port)", "$1")
    assert final([script], {"ROOT": "/srv"})["COMMANDLINE_ARGS"][0] == "--ckpt-dir /srv/ai/models --port  "


def test_what_the_mac_file_exports_stays_exported_in_the_file_after_it() -> None:
    mac = sh('export COMMANDLINE_ARGS="--skip-torch-cuda-test"', "webui-macos-env.sh")
    user = sh('COMMANDLINE_ARGS="$COMMANDLINE_ARGS --api"\n')
    assert final([mac, user], {})["COMMANDLINE_ARGS"] == ("--skip-torch-cuda-test --api", "webui-user.sh line 1")
    assert final([user], {}) == {}


def test_variables_of_webui_sh_itself_need_no_export() -> None:
    assert final([sh('venv_dir="-"\n')], {}) == {"venv_dir": ("-", "webui-user.sh line 1")}


def test_a_quotation_mark_without_partner_names_the_variable_it_breaks() -> None:
    (problem,) = sh('export HF_HOME=/hf\nexport COMMANDLINE_ARGS="--api\n').problems
    assert (problem.kind, problem.line, problem.name) == ("unbalanced-quote", 2, "COMMANDLINE_ARGS")
