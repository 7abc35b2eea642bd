"""``forgedoctor read``: what people paste, read by the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forge_like import causes, doctor, folder, report

BAT = "@echo off\nset PYTHON=\nset COMMANDLINE_ARGS={value}\ncall webui.bat\n"


def read(text: str, *words: str) -> dict[str, object]:
    return report("read", *words, "-", stdin=text.encode())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (BAT.format(value='"--api --listen"'), "args-quoting"),
        (BAT.format(value="--api --lisen"), "arg-misspelt"),
        (BAT.format(value="--api\n --listen --port 7861"), "bat-line-break"),
        (BAT.format(value="--api ^ \n --listen"), "bat-line-break"),
        (
            "@echo off\nrem set COMMANDLINE_ARGS=--api --listen\nset COMMANDLINE_ARGS=\ncall webui.bat\n",
            "args-in-wrong-place",
        ),
        ("webui-user.bat --api --listen", "args-dropped-by-launcher"),
        ("launch.py: error: unrecognized arguments: --midvram", "arg-misspelt"),
        ("launch.py: error: argument --port: invalid int value: 'abc'", "arg-misspelt"),
        ('POST http://127.0.0.1:7860/sdapi/v1/txt2img 404 (Not Found)\n{"detail":"Not Found"}', "api-flag-missing"),
        ("$ curl -i http://h:7860/sdapi/v1/samplers\nHTTP/1.1 401 Unauthorized\n\n", "api-auth-required"),
        ("OSError: Cannot find empty port in range: 80-80.", "port-privileged"),
        ("OSError: Cannot find empty port in range: 7860-7860.", "port-in-use"),
        ("ImportError: Using SOCKS proxy, but the 'socksio' package is not installed.", "socks-support-missing"),
    ],
)
def test_the_cause_of_what_was_pasted(text: str, cause: str) -> None:
    made = read(text)
    assert causes(made)[0] == cause and made["summary"]["exit_code"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        "Launching Web UI with arguments: --api\nTraceback (most recent call last):\nMyOwnError: never seen before",
        "launch.py --api\nRuntimeError: something new",
    ],
)
def test_an_error_that_nobody_knows_is_never_green(text: str) -> None:
    made = read(text)
    assert made["summary"]["exit_code"] == 3  # type: ignore[index]
    assert "does not know" in made["summary"]["headline"]  # type: ignore[index]


def test_a_healthy_log_is_green() -> None:
    log = "Version: f2.0.1v1.10.1\nLaunching Web UI with arguments: --api\nRunning on local URL:  http://127.0.0.1:7860\nStartup time: 9s"
    made = read(log)
    assert made["findings"] == [] and made["summary"]["exit_code"] == 0  # type: ignore[index]


def test_the_shipped_shell_file_is_no_windows_file_and_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "webui-user.sh"
    file.write_text('#!/bin/bash\n# for example: export COMMANDLINE_ARGS="--medvram"\n#export COMMANDLINE_ARGS=""\n')
    assert report("read", str(file))["findings"] == []


def test_flags_in_a_comment_go_to_the_line_that_is_read() -> None:
    made = read("@echo off\nrem set COMMANDLINE_ARGS=--api --listen\nset COMMANDLINE_ARGS=\ncall webui.bat\n")
    step = made["findings"][0]["fixes"][0]["steps"][0]  # type: ignore[index]
    assert (step["line"], step["after"]) == (3, "set COMMANDLINE_ARGS=--api --listen")


def test_several_files_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "webui.log").write_text("OSError: Cannot find empty port in range: 7860-7860.\n")
    (tmp_path / "webui-user.bat").write_text(BAT.format(value="--api --port 7860"))
    made = report("read", str(tmp_path / "webui.log"), str(tmp_path / "webui-user.bat"))
    assert causes(made)[0] == "port-in-use"
    assert "webui.log line 1" in str(made["findings"])
    assert made["launch"]["effective"]["port"] == 7860


def test_a_launcher_file_that_calls_the_doctor_is_named_in_the_fix(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd", user_sh='export COMMANDLINE_ARGS="--api --lsten"\n')
    made = report("preflight", "--dir", str(forge), "--", env={"COMMANDLINE_ARGS": "--api --lsten"})
    assert made["findings"][0]["fixes"][0]["steps"][0]["file"] == "webui-user.sh"


def test_a_flag_of_forge_before_the_dashes_is_explained() -> None:
    done = doctor("preflight", "--api")
    assert done.returncode == 2 and b"preflight -- --api" in done.stderr


@pytest.mark.parametrize(
    "bait", ["curl " * 400_000, "\n" * 400_000, '"' * 1_000_000, "(" * 1_000_000, "/sdapi/v1/a" * 90_000]
)
def test_text_made_to_be_slow_is_read_all_the_same(bait: str) -> None:
    made = read(bait + "\nOSError: Cannot find empty port in range: 7860-7860.\n")
    assert causes(made) == ["port-in-use"]
