"""Launcher files as bytes: their encoding, their shell, several of them in a row, and what holds for any of them."""

from __future__ import annotations

import codecs
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgedoctor.forge.scripts import PROBLEM_KINDS, WATCHED, decode, final, read_script

NAMES = ["webui-user.bat", "webui-user.sh", "webui.settings.bat", "pasted"]
BATCH = "@echo off\r\nset COMMANDLINE_ARGS=--api\r\ncall webui.bat\r\n"


def kinds(name: str, data: bytes) -> list[str]:
    return [problem.kind for problem in read_script(name, data).problems]


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("set X=Größe", "utf-8", "utf-8"),
        ("set X=Größe", "utf-8-sig", "utf-8-sig"),
        ("set X=Größe", "utf-16", "utf-16-le"),
        ("set COMMANDLINE_ARGS=--api", "utf-16-le", "utf-16-le"),
        ("set COMMANDLINE_ARGS=--api", "utf-16-be", "utf-16-be"),
        ("rem 设置启动参数\r\nset X=E:\\绘画模型\\大模型", "gbk", "gbk"),
        ("rem これは起動用の設定です\r\nset X=D:\\画像生成\\モデル", "shift_jis", "shift_jis"),
        ("set X=C:\\Users\\José\\Größe – naïve", "cp1252", "cp1252"),
        ("set X=C:\\Users\\José\\x", "cp1252", "cp1252"),
        ("", "utf-8", "utf-8"),
    ],
)
def test_the_encoding_is_found(text: str, codec: str, encoding: str) -> None:
    assert decode(text.encode(codec)) == (text, encoding)


def test_a_batch_file_in_utf_16_runs_not_at_all() -> None:
    data = codecs.BOM_UTF16_LE + BATCH.encode("utf-16-le")
    script = read_script("webui-user.bat", data)
    assert (script.encoding, script.assignments, script.launches) == ("utf-16-le", (), ())
    assert kinds("webui-user.bat", data) == ["encoding"]


def test_a_byte_order_mark_costs_the_first_line() -> None:
    data = codecs.BOM_UTF8 + b"set COMMANDLINE_ARGS=--api\r\nset HF_HOME=E:/hf\r\n"
    assert final([read_script("webui-user.bat", data)], {}) == {"HF_HOME": ("E:/hf", "webui-user.bat line 2")}
    assert kinds("webui-user.bat", data) == ["encoding"]


@pytest.mark.parametrize(
    ("data", "newline", "problems"),
    [
        (b"set HF_HOME=a\r\nset GIT=b\r\n", "crlf", []),
        (b"set HF_HOME=a\nset GIT=b\n", "lf", []),
        (b"set HF_HOME=a\r\nset GIT=b\n", "mixed", ["line-ends-mixed"]),
        (b"set HF_HOME=a", "lf", []),
    ],
)
def test_line_ends(data: bytes, newline: str, problems: list[str]) -> None:
    script = read_script("webui-user.bat", data)
    assert script.newline == newline
    assert script.assignments[0].value == "a"
    assert kinds("webui-user.bat", data) == problems


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("webui-user.bat", "export COMMANDLINE_ARGS=--api", "bat"),
        ("WEBUI-USER.BAT", "", "bat"),
        ("my start.cmd", "", "bat"),
        ("webui-user.sh", "set COMMANDLINE_ARGS=--api", "sh"),
        ("pasted", "set COMMANDLINE_ARGS=--api --listen", "bat"),
        ("pasted", "@echo off\nset PYTHON=\ncall webui.bat", "bat"),
        ("pasted", 'export COMMANDLINE_ARGS="--api"', "sh"),
        ("pasted", 'COMMANDLINE_ARGS="--api"', "sh"),
        ("pasted", "#!/bin/bash\nvenv_dir=-\n", "sh"),
    ],
)
def test_which_shell_a_text_is_for(name: str, text: str, kind: str) -> None:
    assert read_script(name, text.encode()).kind == kind


def test_only_the_first_bytes_of_a_huge_file_are_read() -> None:
    data = b"set COMMANDLINE_ARGS=--api\r\n" + b"rem filler\r\n" * 10_000 + b"set COMMANDLINE_ARGS=--listen\r\n"
    script = read_script("webui-user.bat", data, limit=5000)
    assert script.truncated
    assert 4900 < len(script.text) <= 5000
    assert final([script], {})["COMMANDLINE_ARGS"][0] == "--api"
    assert not read_script("webui-user.bat", data).truncated


def test_a_cut_character_does_not_change_the_encoding() -> None:
    data = "set HF_HOME=E:/hf\nrem 模型\n".encode()
    assert {read_script("webui-user.bat", data, limit=limit).encoding for limit in range(18, len(data))} == {"utf-8"}


def test_files_in_a_row_see_what_the_ones_before_them_set() -> None:
    user = read_script("webui-user.bat", b"set COMMANDLINE_ARGS=--api\ncall webui.bat\nset COMMANDLINE_ARGS=--late\n")
    more = read_script("webui.settings.bat", b"set COMMANDLINE_ARGS=%COMMANDLINE_ARGS% --listen\n")
    assert final([user, more], {})["COMMANDLINE_ARGS"] == ("--api --listen", "webui.settings.bat line 1")
    assert final([user], {"HTTP_PROXY": "http://proxy:3128", "OTHER": "1"}) == {
        "COMMANDLINE_ARGS": ("--api", "webui-user.bat line 1"),
        "HTTP_PROXY": ("http://proxy:3128", "environment"),
    }


def test_a_variable_whose_mere_existence_counts_is_left_out_where_it_is_removed() -> None:
    removed = read_script("webui-user.bat", b"set IGNORE_CMD_ARGS_ERRORS=\nset COMMANDLINE_ARGS=\n")
    env = {"IGNORE_CMD_ARGS_ERRORS": "1", "COMMANDLINE_ARGS": "--api"}
    assert final([removed], env) == {"COMMANDLINE_ARGS": ("", "webui-user.bat line 2")}
    emptied = read_script("webui-user.sh", b"export IGNORE_CMD_ARGS_ERRORS=\n")
    assert final([emptied], {}) == {"IGNORE_CMD_ARGS_ERRORS": ("", "webui-user.sh line 1")}


def test_the_environment_of_windows_knows_no_case() -> None:
    script = read_script("webui-user.bat", b"set commandline_args=%Commandline_Args% --listen\n")
    assert final([script], {"CommandLine_Args": "--api"})["COMMANDLINE_ARGS"][0] == "--api --listen"


def test_other_variables_are_not_recorded() -> None:
    script = read_script("webui-user.bat", b"set FOO=1\nset SD_WEBUI_LOG_LEVEL=DEBUG\nset https_proxy=http://p:1\n")
    assert [item.name for item in script.assignments] == ["SD_WEBUI_LOG_LEVEL", "HTTPS_PROXY"]
    assert "COMMANDLINE_ARGS" in WATCHED


# -- what holds for every file

# Pieces that the two grammars give a meaning to, so that random files reach into every corner of them.
PIECES = st.sampled_from([
    "set ", "export ", "COMMANDLINE_ARGS", "HF_HOME", "=", "--api", " ", "\n", "\r\n", "\t", "\0", "é", "–",
    '"', "'", "`", "\\", "^", "%", "%HF_HOME%", "!HF_HOME!", "$HF_HOME", "${", "}", "$(", ")", "(", "[[ ", " ]]", "{",
    "&", "&&", "|", "||", ">", "<<", "EOF", ";", ";;", "@", "rem ", "::", "#",
    "if ", "defined ", "exist x ", "else ", "for ", "in ", "do ", "then ", "fi", "done", "case ", "esac",
    "goto a", ":a", "call ", "webui.bat", "setlocal enabledelayedexpansion", "endlocal",
])  # fmt: skip
FILES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode()),
)


@settings(max_examples=400, deadline=None)
@given(FILES, st.sampled_from(NAMES))
def test_no_file_makes_it_fail(data: bytes, name: str) -> None:
    script = read_script(name, data)
    lines = script.text.count("\n") + 1
    assert all(problem.kind in PROBLEM_KINDS and 1 <= problem.line <= lines for problem in script.problems)
    assert all(1 <= item.line <= item.last_line <= lines for item in script.assignments)
    for value, where in final([script, script], {}).values():
        assert isinstance(value, str)
        assert where.startswith(f"{name} line ")


@given(st.binary(max_size=200))
def test_decoding_never_fails_and_names_an_encoding_that_exists(data: bytes) -> None:
    _, encoding = decode(data)
    assert codecs.lookup(encoding)


FLAGS = st.lists(
    st.from_regex(r"--[a-z][a-z-]{0,10}[a-z](=[A-Za-z0-9./:_]{1,8})?", fullmatch=True), min_size=1, max_size=6
).map(" ".join)


@given(FLAGS, st.sampled_from(["set COMMANDLINE_ARGS={}", 'set "COMMANDLINE_ARGS={}"', "SET commandline_args={}"]))
def test_plain_flags_pass_through_a_batch_file(flags: str, form: str) -> None:
    script = read_script("webui-user.bat", f"@echo off\r\n{form.format(flags)}\r\ncall webui.bat\r\n".encode())
    assert final([script], {})["COMMANDLINE_ARGS"] == (flags, "webui-user.bat line 2")
    assert script.problems == ()


@given(FLAGS, st.sampled_from(['export COMMANDLINE_ARGS="{}"', "export COMMANDLINE_ARGS='{}'"]))
def test_plain_flags_pass_through_a_shell_script(flags: str, form: str) -> None:
    script = read_script("webui-user.sh", f"#!/bin/bash\n{form.format(flags)}\n".encode())
    assert final([script], {})["COMMANDLINE_ARGS"] == (flags, "webui-user.sh line 2")
    assert script.problems == ()


@given(FLAGS, st.data())
def test_continued_lines_change_no_flag(flags: str, data: st.DataObject) -> None:
    words = flags.split()
    breaks = data.draw(st.lists(st.sampled_from([" ", " {}\n", " {}\n  "]), min_size=len(words), max_size=len(words)))
    broken = "".join(word + gap for word, gap in zip(words, [*breaks[1:], ""], strict=True))
    batch = read_script("webui-user.bat", f"set COMMANDLINE_ARGS={broken.replace('{}', '^')}\n".encode())
    shell = read_script("webui-user.sh", f'export COMMANDLINE_ARGS="{broken.replace("{}", chr(92))}"\n'.encode())
    for script in (batch, shell):
        assert shlex.split(final([script], {})["COMMANDLINE_ARGS"][0]) == words
        assert script.problems == ()
        assert script.assignments[0].last_line == broken.count("\n") + 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Co"], exclude_characters='"%'), max_size=30))
def test_any_text_in_quotation_marks_is_kept_by_cmd(value: str) -> None:
    script = read_script("webui-user.bat", f'set "HF_HOME={value}"\n'.encode())
    assert script.assignments[0].value == value
    assert script.problems == ()


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Co"], exclude_characters="'"), max_size=30))
def test_any_text_in_apostrophes_is_kept_by_the_shell(value: str) -> None:
    script = read_script("webui-user.sh", f"export HF_HOME='{value}'\n".encode())
    assert script.assignments[0].value == value
