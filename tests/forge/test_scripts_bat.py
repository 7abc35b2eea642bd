"""Batch files as cmd.exe runs them: what reaches Forge, and the slips that people make."""

from __future__ import annotations

import textwrap

import pytest

from forgedoctor.forge.scripts import PROBLEM_KINDS, Script, final, read_script


def bat(text: str, name: str = "webui-user.bat") -> Script:
    """A batch file with Windows line ends."""
    return read_script(name, textwrap.dedent(text).lstrip("\n").replace("\n", "\r\n").encode())


def args(script: Script) -> str:
    """The COMMANDLINE_ARGS that Forge gets."""
    return final([script], {})["COMMANDLINE_ARGS"][0]


def kinds(script: Script) -> list[tuple[str, int]]:
    return [(problem.kind, problem.line) for problem in script.problems]


STOCK = """
    @echo off

    set PYTHON=
    set GIT=
    set VENV_DIR=
    set COMMANDLINE_ARGS={flags}

    @REM To share the folders of another web UI, take the marks away:
    @REM set OTHER_UI=Its folder
    @REM
    @REM set VENV_DIR=%OTHER_UI%/venv
    @REM set COMMANDLINE_ARGS=%COMMANDLINE_ARGS% ^
    @REM  --ckpt-dir %OTHER_UI%/models/Stable-diffusion ^
    @REM  --lora-dir %OTHER_UI%/models/Lora

    call webui.bat
    """


def test_the_file_as_shipped_has_no_problem_and_empties_the_flags() -> None:
    script = bat(STOCK.format(flags=""))
    assert script.problems == ()
    assert (script.kind, script.newline, script.encoding) == ("bat", "crlf", "utf-8")
    assert final([script], {"COMMANDLINE_ARGS": "--api"})["COMMANDLINE_ARGS"] == ("", "webui-user.bat line 6")
    assert [(item.name, item.removed) for item in script.assignments] == [
        ("PYTHON", True), ("GIT", True), ("VENV_DIR", True), ("COMMANDLINE_ARGS", True),
    ]  # fmt: skip
    assert [(item.program, item.starts, item.line) for item in script.launches] == [("webui.bat", True, 16)]


def test_flags_in_the_shipped_file_and_their_line() -> None:
    script = bat(STOCK.format(flags="--api --listen"))
    assert final([script], {})["COMMANDLINE_ARGS"] == ("--api --listen", "webui-user.bat line 6")
    assert script.problems == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("set COMMANDLINE_ARGS=--api", "--api"),
        ("SET commandline_args=--api", "--api"),
        ("@set COMMANDLINE_ARGS=--api", "--api"),
        ("  set COMMANDLINE_ARGS= --api ", " --api "),
        ('set "COMMANDLINE_ARGS=--api --listen"', "--api --listen"),
        ('set "COMMANDLINE_ARGS=--api" and a remark', "--api"),
        ('set "COMMANDLINE_ARGS=--api', "--api"),
        ('set "COMMANDLINE_ARGS=--ckpt-dir "E:\\my models" --api"', '--ckpt-dir "E:\\my models" --api'),
        ('set COMMANDLINE_ARGS=--ckpt-dir "E:\\a & b"', '--ckpt-dir "E:\\a & b"'),
        ("set COMMANDLINE_ARGS=--gradio-auth me:a^&b", "--gradio-auth me:a&b"),
        ("set COMMANDLINE_ARGS=--api & echo ready", "--api "),
        ("set COMMANDLINE_ARGS=--api >nul", "--api "),
        ("set COMMANDLINE_ARGS=--a 100%%", "--a 100%"),
        ("set COMMANDLINE_ARGS=--a %NOT_THERE%b", "--a b"),
        ("set X=--api\nset COMMANDLINE_ARGS=%x% --listen", "--api --listen"),
        ("set COMMANDLINE_ARGS=--api\nset COMMANDLINE_ARGS=%COMMANDLINE_ARGS% --listen", "--api --listen"),
        ("set COMMANDLINE_ARGS=--api ^\n--listen", "--api --listen"),
        ("set COMMANDLINE_ARGS=--api ^\n  --listen ^\n  --port 7861", "--api   --listen   --port 7861"),
        ("set COMMANDLINE_ARGS=--a ^\n&b", "--a &b"),
        ("set COMMANDLINE_ARGS=--api ^\n\n--listen", "--api \n--listen"),
        ("rem set COMMANDLINE_ARGS=--listen\nset COMMANDLINE_ARGS=--api", "--api"),
        ("set COMMANDLINE_ARGS=--api\n:: set COMMANDLINE_ARGS=", "--api"),
        ("set COMMANDLINE_ARGS=--api\nrem set COMMANDLINE_ARGS=--no ^\nset COMMANDLINE_ARGS=--listen", "--listen"),
        ("set COMMANDLINE_ARGS=--api\nrem^\nset COMMANDLINE_ARGS=--listen", "--api"),
        ("set COMMANDLINE_ARGS=--api\n:: swallows ^\nset COMMANDLINE_ARGS=--listen", "--api"),
        ("set COMMANDLINE_ARGS=--api\ngoto go\nset COMMANDLINE_ARGS=--listen\n:go\ncall webui.bat", "--api"),
        ("set COMMANDLINE_ARGS=--api\nexit /b\nset COMMANDLINE_ARGS=--listen", "--api"),
        ("call :flags\ncall webui.bat\ngoto :eof\n:flags\nset COMMANDLINE_ARGS=--api\nexit /b", "--api"),
        ("set F=COMMANDLINE_ARGS\nset %F%=--api", "--api"),
        ("set A=--api\ncall set COMMANDLINE_ARGS=%%A%% --listen", "--api --listen"),
        ("setlocal enabledelayedexpansion\nset A=--api\nset COMMANDLINE_ARGS=!A! --listen", "--api --listen"),
        ("set A=--old\n(\nset A=--new\nset COMMANDLINE_ARGS=%A%\n)", "--old"),
        ("cd /d %~dp0\nset COMMANDLINE_ARGS=--api", "--api"),
    ],
)
def test_what_the_variable_really_gets(text: str, value: str) -> None:
    assert args(bat(text)) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("set COMMANDLINE_ARGS =--api", [("space-before-equals", 1)]),
        ("set COMMANDLINE_ARGS = --api", [("space-before-equals", 1)]),
        ("set COMMANDLINE_ARGS --api", [("missing-equals", 1)]),
        ("set COMMANDLINE_ARGS=--api\n--listen --port 7861", [("flags-on-own-line", 2)]),
        ("set COMMANDLINE_ARGS=\n--api", [("flags-on-own-line", 2)]),
        ("set COMMANDLINE_ARGS=--api ^ \n--listen", [("caret-then-blank", 1), ("flags-on-own-line", 2)]),
        ("set COMMANDLINE_ARGS=--api ^\n rem --xformers ^\n --listen", [("comment-in-continuation", 2)]),
        ("set COMMANDLINE_ARGS=--api ^\n:: --xformers ^\n --listen", [("comment-in-continuation", 2)]),
        ("set COMMANDLINE_ARGS=--api ^\ncall webui.bat", [("command-in-continuation", 2)]),
        ("set COMMANDLINE_ARGS=--api ^\n\ncall webui.bat", [("command-in-continuation", 3)]),
        ('set COMMANDLINE_ARGS="--device-id 1"', [("quoted-whole-value", 1)]),
        ('set COMMANDLINE_ARGS="--listen --port 7861"', [("quoted-whole-value", 1)]),
        ('set COMMANDLINE_ARGS=--api "--listen --port 7861"', [("quoted-whole-value", 1)]),
        ('set COMMANDLINE_ARGS=--api --lora-dir "E:\\my loras\\" --listen', [("backslash-lost", 1)]),
        ("set COMMANDLINE_ARGS=--ckpt-dir E:\\models\\sd", [("backslash-lost", 1)]),
        ("set COMMANDLINE_ARGS=--ckpt-dir E:\\ --api", [("backslash-lost", 1)]),
        ('set COMMANDLINE_ARGS=--ckpt-dir "\\\\nas\\models"', [("backslash-lost", 1)]),
        ("set COMMANDLINE_ARGS=--ckpt-dir E:/Tim's/models", [("unbalanced-quote", 1)]),
        ('set COMMANDLINE_ARGS=--ckpt-dir "E:/models', [("unbalanced-quote", 1)]),
        ("set COMMANDLINE_ARGS=–api", [("typographic-characters", 1)]),
        ("set COMMANDLINE_ARGS=--api —listen", [("typographic-characters", 1)]),
        ("set COMMANDLINE_ARGS=--api\u00a0--listen", [("typographic-characters", 1)]),
        ("set COMMANDLINE_ARGS=--gradio-auth me:a&b", [("ampersand", 1)]),
        ("set COMMANDLINE_ARGS=--api | more", [("special-character", 1)]),
        ("set COMMANDLINE_ARGS=--gradio-auth me:50%off", [("special-character", 1)]),
        ("set COMMANDLINE_ARGS=--gradio-auth me:a^b", [("special-character", 1)]),
        ("set COMMANDLINE-ARGS=--api", [("misspelt-variable", 1)]),
        ("set COMMAND_LINE_ARGS=--api", [("misspelt-variable", 1)]),
        ("set COMMANDLINE_ARG=--api", [("misspelt-variable", 1)]),
        ("set COMMANDLINE_ARGUMENTS=--api", [("misspelt-variable", 1)]),
        ("set SET CUDA_VISIBLE_DEVICES=1", [("misspelt-variable", 1)]),
        ("rem set COMMANDLINE_ARGS=--api", [("commented-out", 1)]),
        ("@REM set COMMANDLINE_ARGS=--api\nset COMMANDLINE_ARGS=", [("commented-out", 1)]),
        ('export COMMANDLINE_ARGS="--api"', [("sh-syntax-in-bat", 1)]),
        ("COMMANDLINE_ARGS=--api", [("sh-syntax-in-bat", 1)]),
        ("# my flags", [("sh-syntax-in-bat", 1)]),
        ("set COMMANDLINE_ARGS=$COMMANDLINE_ARGS --api", [("sh-syntax-in-bat", 1)]),
        ("set COMMANDLINE_ARGS=--api \\\n--listen", [("sh-syntax-in-bat", 1), ("flags-on-own-line", 2)]),
        ('$env:COMMANDLINE_ARGS="--api"', [("powershell-syntax", 1)]),
        ("call webui.bat\nset COMMANDLINE_ARGS=--api", [("after-launch", 2)]),
        ("python launch.py\nset HF_HOME=E:/hf", [("after-launch", 2)]),
        ("if exist a.txt (\nset COMMANDLINE_ARGS=--api\ncall webui.bat", [("unclosed-block", 1)]),
        ("setlocal\nset COMMANDLINE_ARGS=--api\nendlocal\ncall webui.bat", [("undone-by-endlocal", 2)]),
    ],
)
def test_slips(text: str, found: list[tuple[str, int]]) -> None:
    script = bat(text)
    assert kinds(script) == found
    assert all(problem.kind in PROBLEM_KINDS and problem.detail for problem in script.problems)


def test_a_caret_inside_quotation_marks_continues_nothing() -> None:
    script = bat('set COMMANDLINE_ARGS="--api ^\n--listen"')
    assert args(script) == '"--api ^'
    assert ("caret-in-quotes", 1) in kinds(script)


@pytest.mark.parametrize(
    "text",
    [
        'set COMMANDLINE_ARGS=--ckpt-dir="E:/my models" --api',
        'set COMMANDLINE_ARGS=--ckpt-dir "E:\\my models" --lora-dir "E:\\loras"',
        'set COMMANDLINE_ARGS="--api"',
        "set COMMANDLINE_ARGS=--ckpt-dir E:\\\\models",
        'set COMMANDLINE_ARGS=--ckpt-dir "E:/KI – Modelle" --gradio-auth "Zoë:Tom’s"',
        "set COMMANDLINE_ARGS=--api & call webui.bat",
        "set COMMANDLINE_ARGS=--api&&call webui.bat",
        "set PYTHON=python3 & rem the system's",
        "set VENV_DIR=%~dp0%venv",
        "set COMMANDLINE_ARGS_OLD=--lowvram",
        "set COMMANDLINE_ARG=--api\nset COMMANDLINE_ARGS=%COMMANDLINE_ARG%",
        "echo Set COMMANDLINE_ARGS in this file",
        "set COMMANDLINE_ARGS=\nwebui.bat --api\nrem set COMMANDLINE_ARGS=--listen",
        "rem set COMMANDLINE_ARGS=--lowvram\nset COMMANDLINE_ARGS=--api",
        "set CUDA_VISIBLE_DEVICES=0\nstart webui.bat --port 7861\nset CUDA_VISIBLE_DEVICES=1\nstart webui.bat",
        "setlocal\nset COMMANDLINE_ARGS=--api\ncall webui.bat\nendlocal",
        "git pull\nset COMMANDLINE_ARGS=--api\ncall webui.bat\npause\nexit /b",
    ],
)
def test_what_is_no_slip(text: str) -> None:
    assert bat(text).problems == ()


@pytest.mark.parametrize(
    ("line", "program", "arguments", "starts"),
    [
        ("call webui.bat --api", "webui.bat", "--api", True),
        ("webui-user.bat", "webui-user.bat", "", True),
        ("call E:\\forge\\webui.bat", "webui.bat", "", True),
        ('call "E:\\my forge\\webui.bat" --api', "webui.bat", "--api", True),
        ("python launch.py --api --listen", "launch.py", "--api --listen", True),
        ('"%VENV_DIR%\\Scripts\\python.exe" launch.py %*', "launch.py", "", True),
        ('start "" /b python -u launch.py --api', "launch.py", "--api", True),
        ("cmd /c webui.bat --api", "webui.bat", "--api", True),
        ("call environment.bat", "environment.bat", "", False),
    ],
)
def test_what_is_started(line: str, program: str, arguments: str, starts: bool) -> None:
    (launch,) = bat(line, "my.bat").launches
    assert (launch.program, launch.arguments, launch.starts, launch.line) == (program, arguments, starts, 1)


@pytest.mark.parametrize(
    "line", ["echo launch.py", "copy webui-user.bat x.bat", "cd E:\\forge\\launch.py", "rem webui.bat"]
)
def test_what_is_not_started(line: str) -> None:
    assert bat(line, "my.bat").launches == ()


def test_a_batch_file_without_call_does_not_come_back() -> None:
    script = bat("set COMMANDLINE_ARGS=--api\nupdate.bat\nset COMMANDLINE_ARGS=--listen")
    assert args(script) == "--api"


def test_conditions_that_only_the_machine_knows_are_marked() -> None:
    script = bat(
        """
        set COMMANDLINE_ARGS=--api
        if exist big.txt (
          set COMMANDLINE_ARGS=%COMMANDLINE_ARGS% --always-high-vram
        ) else set HF_HOME=E:/hf
        for %%d in (D E) do set VENV_DIR=%%d:\\venv
        """
    )
    assert [(item.name, item.conditional, item.line) for item in script.assignments] == [
        ("COMMANDLINE_ARGS", False, 1), ("COMMANDLINE_ARGS", True, 3), ("HF_HOME", True, 4), ("VENV_DIR", True, 5),
    ]  # fmt: skip
    assert script.assignments[-1].expanded == ("%d",)
    assert final([script], {})["COMMANDLINE_ARGS"] == (
        "--api --always-high-vram",
        "webui-user.bat line 3 (conditional)",
    )


def test_conditions_that_the_variables_decide_are_decided() -> None:
    text = """
        set GIT=git.exe
        if defined GIT (set PYTHON=one) else (set PYTHON=two)
        if not defined HF_HOME set HF_HOME=E:/hf
        if /i "%GIT%"=="GIT.EXE" set VENV_DIR=-
        """
    script = bat(text)
    assert [(item.name, item.value, item.conditional) for item in script.assignments] == [
        ("GIT", "git.exe", False), ("PYTHON", "one", False), ("HF_HOME", "E:/hf", True), ("VENV_DIR", "-", False),
    ]  # fmt: skip
    assert final([script], {"HF_HOME": "F:/hf"})["HF_HOME"] == ("F:/hf", "environment")
    assert final([script], {"PATH": "x"})["HF_HOME"] == ("E:/hf", "webui-user.bat line 3")


def test_a_conditional_jump_leaves_open_what_it_may_skip() -> None:
    script = bat("if errorlevel 1 goto go\nset COMMANDLINE_ARGS=--api\n:go\nset HF_HOME=E:/hf\ncall webui.bat")
    assert [(item.name, item.conditional) for item in script.assignments] == [
        ("COMMANDLINE_ARGS", True),
        ("HF_HOME", False),
    ]


def test_unknown_variables_count_as_empty_and_are_named() -> None:
    script = bat("set BASE=%USERPROFILE%/ai\nset COMMANDLINE_ARGS=--ckpt-dir %BASE%/models %EXTRA%")
    assert script.assignments[-1].value == "--ckpt-dir /ai/models "
    assert script.assignments[-1].expanded == ("USERPROFILE", "EXTRA")
    found = final([script], {"UserProfile": "C:/Users/zoe"})
    assert found["COMMANDLINE_ARGS"][0] == "--ckpt-dir C:/Users/zoe/ai/models "


def test_the_lines_of_a_continued_assignment_are_kept_as_they_stand() -> None:
    script = bat("@echo off\nset COMMANDLINE_ARGS=--api ^\n --listen\ncall webui.bat")
    (found,) = script.assignments
    assert (found.line, found.last_line) == (2, 3)
    assert found.raw == "set COMMANDLINE_ARGS=--api ^\n --listen"


def test_a_called_file_undoes_its_own_setlocal_at_its_end() -> None:
    text = "setlocal\nset COMMANDLINE_ARGS=--api\n"
    assert kinds(bat(text, "webui.settings.bat")) == [("undone-by-endlocal", 2)]
    assert final([bat(text, "webui.settings.bat")], {}) == {}
    assert args(bat(text + "call webui.bat")) == "--api"


def test_an_unclosed_parenthesis_in_a_text_hides_nothing_after_it() -> None:
    script = bat("(my card is old\nset COMMANDLINE_ARGS=--api")
    assert args(script) == "--api"
    assert script.problems == ()
