"""The real program on real processes and real sockets of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.forge_like import ROOT, SERVE, causes, doctor, folder, free_port, report, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses the launcher files of Linux and macOS")

# What is worth a warning where these tests run: 127.0.0.1 of a container, and no card.
IN_A_CONTAINER = {"listen-missing", "no-nvidia-gpu"}


def test_a_healthy_forge_that_runs(tmp_path: Path) -> None:
    forge, port = folder(tmp_path / "sd", launch=SERVE.format(root=str(ROOT), mode="ui-api")), free_port()
    with running(forge, "--api", "--port", str(port), port=port) as pid:
        made = report("triage", "--dir", str(forge))
    assert causes(made, "error") == [] and set(causes(made, "warning")) <= IN_A_CONTAINER
    assert made["target"]["pid"] == pid and made["target"]["fork"] == "forge"
    assert made["launch"]["effective"]["port"] == port
    assert made["target"]["url"] == f"http://127.0.0.1:{port}"


def test_a_forge_that_runs_without_its_api(tmp_path: Path) -> None:
    forge, port = folder(tmp_path / "sd", launch=SERVE.format(root=str(ROOT), mode="ui-no-api")), free_port()
    with running(forge, "--port", str(port), port=port):
        made = report("triage", "--dir", str(forge))
    assert causes(made, "error")[0] == "api-flag-missing"
    assert made["summary"]["exit_code"] == 1


def test_flags_from_the_environment_of_the_process_are_seen(tmp_path: Path) -> None:
    forge, port = folder(tmp_path / "sd", launch=SERVE.format(root=str(ROOT), mode="ui-api")), free_port()
    with running(forge, "--port", str(port), port=port, env={"COMMANDLINE_ARGS": "--api --medvram"}):
        made = report("triage", "--dir", str(forge))
    assert made["launch"]["effective"]["api"] is True
    assert "arg-ignored-by-this-fork" in causes(made)


def test_a_process_that_is_alive_and_serves_nothing(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    with running(forge, "--api", "--port", "70000") as pid:
        made = report("triage", "--dir", str(forge))
    assert causes(made, "error")[0] in ("port-out-of-range", "server-thread-dead")
    assert str(pid) in str(made["findings"])


def test_preflight_names_who_holds_the_port(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        made = report("preflight", "--dir", str(forge), "--", "--api", "--port", str(port))
    assert causes(made, "error") == ["port-in-use"]
    assert f"pid {os.getpid()}" in made["findings"][0]["summary"]
    assert made["summary"]["exit_code"] == 1


def test_preflight_says_go(tmp_path: Path) -> None:
    forge, port = folder(tmp_path / "sd"), free_port()
    made = report(
        "preflight", "--dir", str(forge), "--", "--nowebui", "--server-name", "127.0.0.1", "--port", str(port)
    )
    assert causes(made, "error") == [] and set(causes(made, "warning")) <= IN_A_CONTAINER
    assert made["launch"]["effective"]["mode"] == "api-only"


def test_preflight_without_arguments_reads_the_launcher_file(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd", user_sh='export COMMANDLINE_ARGS="--api --lsten"\n')
    made = report("preflight", "--dir", str(forge))
    first = made["findings"][0]
    assert first["check"] == "arg-misspelt"
    edit = first["fixes"][0]["steps"][0]
    assert edit["file"] == "webui-user.sh" and edit["line"] == 1
    assert edit["after"] == 'export COMMANDLINE_ARGS="--api --listen"'


def test_the_environment_wins_over_what_was_typed(tmp_path: Path) -> None:
    forge = folder(tmp_path / "sd")
    made = report(
        "preflight", "--dir", str(forge), "--", "--api", "--port", "7871", env={"COMMANDLINE_ARGS": "--port 7872"}
    )
    assert made["launch"]["effective"]["port"] == 7872
    assert "env-overrides-command-line" in causes(made)


def test_a_folder_below_or_above_is_found(tmp_path: Path) -> None:
    forge = folder(tmp_path / "apps" / "sd")
    assert report("triage", cwd=tmp_path / "apps")["target"]["directory"].endswith("sd")
    assert report("triage", cwd=forge / "modules")["target"]["directory"].endswith("sd")


def test_ctrl_c_prints_what_is_known(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "forgedoctor", "triage", "--dir", str(folder(tmp_path / "sd")), "--url", url, "--timeout", "20"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        silent.accept()  # it probes by now
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Cancelled" in out and b"Traceback" not in err
    assert b"checks passed" in out


def test_a_closed_pipe_is_no_fault() -> None:
    done = subprocess.run(
        f"{sys.executable} -m forgedoctor checks | head -1", shell=True, cwd=ROOT, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_nothing_found_is_never_green(tmp_path: Path) -> None:
    done = doctor("triage", "--ignore", "proxy", cwd=tmp_path)
    assert done.returncode == 3 and b"Unknown" in done.stdout


def test_a_forge_of_another_folder_is_not_taken_for_the_one_asked_about(tmp_path: Path) -> None:
    other, port = folder(tmp_path / "other", launch=SERVE.format(root=str(ROOT), mode="ui-api")), free_port()
    asked = folder(tmp_path / "asked", user_sh='#!/bin/bash\nexport COMMANDLINE_ARGS="--api --port 7999"\n')
    with running(other, "--api", "--port", str(port), port=port):
        made = report("triage", "--dir", str(asked))
    assert made["launch"]["running"] is False and made["launch"]["effective"]["port"] == 7999
    assert made["target"]["pid"] is None
