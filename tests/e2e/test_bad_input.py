"""Bad input gets one clear sentence and loses nothing that was found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.forge_like import ROOT, causes, doctor, folder, report


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["api", "http://"], "no host"),
        (["api", "gopher://x"], "http"),
        (["api", "127.0.0.1:99999"], "65535"),
        (["api", "http://127.0.0.1:port/"], "port"),
        (["read", "/no/such/file.log"], "cannot be read"),
        (["read", "."], "folder"),
        (["args", "--env", "NOSIGN", "--", "--api"], "NAME=VALUE"),
        (["triage", "--select", "port-in-us"], "port-in-use"),
        (["triage", "--lang", "xx"], "xx"),
        (["explain", "nonsense-check"], "nonsense-check"),
        (["triag"], "triage"),
        (["args", "--fork", "sdnext"], "sdnext"),
        (["triage", "--timeout", "0"], "0"),
    ],
)
def test_used_wrongly(words: list[str], said: str) -> None:
    done = doctor(*words)
    assert done.returncode == 2
    assert said in done.stderr.decode() and b"Traceback" not in done.stderr
    assert len(done.stderr.decode().strip().splitlines()) <= 4


def test_no_such_folder_is_the_headline(tmp_path: Path) -> None:
    made = report("triage", "--dir", str(tmp_path / "nowhere"))
    assert made["summary"]["exit_code"] == 3 and "no folder" in made["summary"]["headline"]


def test_a_folder_that_is_no_forge(tmp_path: Path) -> None:
    (tmp_path / "launch.py").write_text("print('something else')")
    made = report("triage", "--dir", str(tmp_path))
    assert made["summary"]["exit_code"] == 3 and "no Forge was found" in made["summary"]["headline"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030", "shift_jis", "latin-1"])
def test_launcher_files_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    comment = {"gb18030": "启动参数", "shift_jis": "起動オプション", "latin-1": "démarrage"}.get(encoding, "start")
    forge = folder(tmp_path / "sd")
    (forge / "webui-user.sh").write_bytes(
        f'# {comment}\nexport COMMANDLINE_ARGS="--api --port 7999"\n'.encode(encoding)
    )
    made = report("preflight", "--dir", str(forge))
    assert made["target"]["found"] and not any(one["status"] == "crashed" for one in made["checks"])
    if encoding != "utf-16":  # bash reads bytes; UTF-16 it cannot, and that is said
        assert made["launch"]["effective"]["port"] == 7999
    else:
        assert "launcher-file-encoding" in [one["check"] for one in made["findings"]]


def test_a_huge_launcher_file(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    with open(forge / "webui-user.sh", "wb") as file:
        file.write(b'export COMMANDLINE_ARGS="--api"\n')
        file.seek(100_000_000)
        file.write(b"\n")
    made = report("preflight", "--dir", str(forge))
    assert made["launch"]["effective"]["api"] is True
    assert "launcher-file-encoding" in causes(made)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.real
def test_unreadable_files_are_said_and_the_rest_is_judged(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    for path in (tmp_path, *tmp_path.parents):
        if str(path).startswith("/tmp/pytest"):
            path.chmod(0o755)
    (forge / "webui-user.sh").chmod(0)
    # Once as root, so that every module is loaded: the interpreter itself may lie in a folder that only root reads.
    code = f"""
import contextlib, io, os, sys
from forgedoctor import api
from forgedoctor.report import text
from forgedoctor.target import Target
target = Target(scope="preflight", directory={str(forge)!r}, argv=("--api", "--port", "81"))
text.render(api.examine(target))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
made = api.examine(target)
print(text.render(made)); sys.exit(made.summary.exit_code)
"""
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60, cwd=ROOT)
    text = done.stdout.decode()
    assert b"Traceback" not in done.stderr
    assert done.returncode == 1 and "port-privileged" in text
    assert "Permission denied" in text or "may not be read" in text or "could not be read" in text


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 5000, bytes(range(256)) * 40, b"\xff\xfe" + b"a\x00" * 10, b"\n" * 10_000]
)
def test_binary_on_standard_input(data: bytes) -> None:
    done = doctor("read", "-", stdin=data)
    assert done.returncode == 3
    assert b"Unknown" in done.stdout and b"Traceback" not in done.stderr


def test_a_long_text_is_read_at_both_ends() -> None:
    noise = b"INFO: nothing to see here, 12% done\n" * 400_000
    text = (
        b"Launching Web UI with arguments: --api --port 7860\n"
        + noise
        + b"OSError: Cannot find empty port in range: 7860-7860.\n"
    )
    made = report("read", "-", stdin=text)
    assert causes(made)[0] == "port-in-use"
    assert made["launch"]["effective"]["port"] == 7860


def test_a_report_that_cannot_be_written_is_still_shown(tmp_path: Path) -> None:
    done = doctor("args", "--output", str(tmp_path / "no" / "folder.txt"), "--", "--api", "9999")
    assert done.returncode == 2
    assert b"arg-misspelt" in done.stdout and b"cannot be written" in done.stderr


def test_a_console_that_cannot_show_our_signs() -> None:
    for encoding in ("cp1252", "cp437", "cp936", "ascii"):
        done = doctor("args", "--", "--api", "9999", env={"PYTHONIOENCODING": encoding})
        assert done.returncode == 1 and b"arg-misspelt" in done.stdout and b"Traceback" not in done.stderr


def test_a_launcher_file_that_is_no_file_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    (forge / "webui-user.sh").unlink()
    os.mkfifo(forge / "webui-user.sh")
    made = report("preflight", "--dir", str(forge))
    assert made["launch"] is None and "api-flag-missing" not in causes(made)
    assert "webui-user.sh" in str(made["unknown"])


def test_a_link_that_leads_to_itself_costs_only_itself(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    (forge / "webui-user.sh").unlink()
    (forge / "webui-user.sh").symlink_to("webui-user.sh")
    made = report("preflight", "--dir", str(forge), "--", "--api", "--apii")
    assert causes(made)[0] == "arg-misspelt"


def test_a_closed_standard_error_costs_nothing() -> None:
    import subprocess

    command = f"{sys.executable} -m forgedoctor args -- --apii 2>&-"
    done = subprocess.run(command, shell=True, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"arg-misspelt" in done.stdout
