"""The Processes fact: every running Forge, and nothing that only looks like one."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.fact import State, Unavailable
from forgedoctor.facts import _psutil
from forgedoctor.facts._forge_processes import Candidate, Invocation, groups, holds_forge, invocation
from forgedoctor.facts.processes import ForgeProcess, Processes, collect
from forgedoctor.target import Target

LIVE = Target(scope="live")
NOBODY = 65534
as_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")

# A program that listens like Forge, says so, and stays; with --fork it has a worker, as multiprocessing makes them.
LAUNCH = """
    import os, socket, sys, time
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    if "--deaf" not in sys.argv:
        server.listen()
    if "--fork" in sys.argv and not os.fork():
        sys.exit(sys.stdin.read())
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""
WAIT = "import sys; print(0, flush=True); sys.stdin.read()"
ACCELERATE = """
    import subprocess, sys
    sys.exit(subprocess.call([sys.executable, *sys.argv[3:]]))
"""


def checkout(root: Path, mark: str = "modules/launch_utils.py", script: str = "launch.py") -> Path:
    """A folder that looks like a program of the Forge family (or, with another mark, like none)."""
    (root / mark).parent.mkdir(parents=True, exist_ok=True)
    (root / mark).write_text("")
    (root / script).write_text(textwrap.dedent(LAUNCH))
    return root


class Started:
    """A child process that has said which port it opened."""

    def __init__(self, arguments: list[str], cwd: Path, env: dict[str, str]) -> None:
        self.child = subprocess.Popen(
            arguments, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.child.stdout is not None
        self.pid = self.child.pid
        self.port = int(self.child.stdout.readline())


@pytest.fixture
def start() -> Iterator[Callable[..., Started]]:
    """Start programs; they all end with the test, by the end of their input."""
    started: list[Started] = []

    def one(arguments: list[str], cwd: Path, **env: str) -> Started:
        started.append(Started([sys.executable, *arguments], cwd, env))
        return started[-1]

    yield one
    for each in started:
        each.child.communicate()


def seen(target: Target = LIVE) -> dict[int, ForgeProcess]:
    return {one.pid: one for one in collect(target).forges}


def test_a_running_forge_is_described(tmp_path: Path, start: Callable[..., Started]) -> None:
    root = checkout(tmp_path / "stable diffusion")
    arguments = ["launch.py", "--api", "--api-auth", "user:pass word"]
    before = time.time()
    forge = start(arguments, root, COMMANDLINE_ARGS="--listen", HTTP_PROXY="http://proxy:3128", SOME_TOKEN="hidden")
    found = seen()[forge.pid]
    assert found.argv == ("--api", "--api-auth", "user:pass word")
    assert found.command.endswith("launch.py --api --api-auth 'user:pass word'")
    assert Path(found.cwd).samefile(root)
    assert Path(found.folder).samefile(root)
    assert found.ports == (("127.0.0.1", forge.port),)
    assert found.env is not None
    assert found.env["COMMANDLINE_ARGS"] == "--listen"
    assert found.env["HTTP_PROXY"] == "http://proxy:3128"
    assert "SOME_TOKEN" not in found.env
    assert "PATH" not in found.env
    assert abs(found.started - before) < 60
    assert Path(found.python).exists()
    assert found.recognised == "folder"


def test_the_fact_survives_a_saved_case(tmp_path: Path, start: Callable[..., Started]) -> None:
    start(["launch.py"], checkout(tmp_path))
    found = collect(LIVE)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Processes) == found


def test_a_script_named_by_its_full_path_is_found_from_anywhere(tmp_path: Path, start: Callable[..., Started]) -> None:
    root = checkout(tmp_path / "webui", mark="modules_forge/forge_version.py", script="webui.py")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    forge = start(["-u", str(root / "webui.py"), "--nowebui"], elsewhere)
    found = seen()[forge.pid]
    assert Path(found.folder).samefile(root)
    assert Path(found.cwd).samefile(elsewhere)
    assert found.argv == ("--nowebui",)


def test_other_projects_launchers_are_none(tmp_path: Path, start: Callable[..., Started]) -> None:
    """Fooocus has launch.py, webui.py and modules/ too, and shares flags."""
    other = checkout(tmp_path, mark="modules/launch_util.py")
    (other / "webui.py").write_text("")
    process = start(["launch.py", "--listen", "--always-high-vram"], other)
    assert process.pid not in seen()


@pytest.mark.parametrize(
    "arguments",
    [
        ["editor.py", "launch.py"],
        ["-c", WAIT, "launch.py"],
        ["-m", "tester", "launch.py"],
        ["editor.py", "--file=launch.py"],
    ],
)
def test_programs_that_only_name_the_script_are_none(
    tmp_path: Path, start: Callable[..., Started], arguments: list[str]
) -> None:
    root = checkout(tmp_path)
    (root / "editor.py").write_text(WAIT)
    (root / "tester.py").write_text(WAIT)
    process = start(arguments, root)
    assert process.pid not in seen()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_worker_is_not_a_second_forge(tmp_path: Path, start: Callable[..., Started]) -> None:
    root = checkout(tmp_path)
    forge = start(["launch.py", "--fork"], root)
    ours = [one for one in collect(LIVE).forges if Path(one.folder).samefile(root)]
    assert [one.pid for one in ours] == [forge.pid]
    assert ours[0].ports == (("127.0.0.1", forge.port),)


def test_accelerate_is_its_child(tmp_path: Path, start: Callable[..., Started]) -> None:
    root = checkout(tmp_path / "webui")
    (tmp_path / "accelerate").write_text(textwrap.dedent(ACCELERATE))
    starter = start(
        [str(tmp_path / "accelerate"), "launch", "--num_cpu_threads_per_process=6", "launch.py", "--api"], root
    )
    ours = [one for one in collect(LIVE).forges if Path(one.folder).samefile(root)]
    assert len(ours) == 1
    assert ours[0].pid != starter.pid
    assert ours[0].argv == ("--api",)
    assert ours[0].ports == (("127.0.0.1", starter.port),)


def test_two_forges_and_the_one_asked_for_comes_first(tmp_path: Path, start: Callable[..., Started]) -> None:
    older, newer, deaf = (checkout(tmp_path / name) for name in ("older", "newer", "deaf"))
    first = start(["launch.py", "--port", "7860"], older)
    second = start(["launch.py", "--port", "7861"], newer)
    third = start(["launch.py", "--deaf"], deaf)
    ours = (first.pid, second.pid, third.pid)
    order = [one.pid for one in collect(LIVE).forges if one.pid in ours]
    assert order == [second.pid, first.pid, third.pid]
    asked = collect(Target(scope="live", directory=str(older))).forges
    assert asked[0].pid == first.pid


def test_a_zombie_is_no_forge(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "launch.py"], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.read()  # it has written its port and ended, and nobody has waited for it
    found = collect(LIVE)
    child.wait()
    assert child.pid not in {one.pid for one in found.forges}


# --- seen by another user ---------------------------------------------------------------------------------------


def as_nobody(call: Callable[[], Any], before: Callable[[], None] = lambda: None) -> Any:
    """What a call returns to a user without rights, made in a forked child; ``before`` runs there as root."""
    answer, told = os.pipe()
    child = os.fork()
    if not child:
        try:
            before()
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(told, json.dumps(msgspec.to_builtins(call())).encode())
        finally:
            os._exit(0)
    os.close(told)
    with open(answer, encoding="utf-8") as text:
        said = text.read()
    os.waitpid(child, 0)
    assert said, "the child failed"
    return json.loads(said)


@as_root
def test_another_users_forge_is_known_by_its_flags(tmp_path: Path, start: Callable[..., Started]) -> None:
    tmp_path.chmod(0o700)
    root = checkout(tmp_path)
    forge = start(["launch.py", "--api", "--skip-torch-cuda-test"], root)
    plain = start(["launch.py"], root)
    found = {one["pid"]: one for one in as_nobody(lambda: collect(LIVE))["forges"]}
    assert found[forge.pid]["recognised"] == "flags"
    assert found[forge.pid]["env"] is None
    assert found[forge.pid]["cwd"] == ""
    assert found[forge.pid]["ports"] == []
    assert found[forge.pid]["user"] == "root"
    assert plain.pid not in found, "without flags and folder nothing tells it from another project's launch.py"


@as_root
@pytest.mark.skipif(not shutil.which("mount"), reason="needs mount")
@pytest.mark.parametrize("hidepid", ["1", "2"])
def test_a_proc_that_hides_processes_counts_them(hidepid: str) -> None:
    def hide() -> None:
        own_mounts = ctypes.CDLL(None).unshare(0x20000)  # CLONE_NEWNS
        assert own_mounts == 0
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "proc", "-o", f"hidepid={hidepid}", "proc", "/proc"], check=True)

    trial = ["unshare", "--mount", "mount", "-t", "proc", "-o", f"hidepid={hidepid}", "proc", "/proc"]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("proc cannot be mounted with hidepid here")
    found = as_nobody(lambda: collect(LIVE), hide)
    assert found["hidden"] >= 1
    assert found["forges"] == []


# --- with a psutil of our own -----------------------------------------------------------------------------------


class PsutilError(Exception):
    pass


class NoSuchProcess(PsutilError):
    pass


class AccessDenied(PsutilError):
    pass


def denied(*_: object) -> Any:
    raise AccessDenied


class Fake:
    """A process as psutil shows it; a value that is an exception class is raised."""

    def __init__(self, pid: int, cmdline: Any, **known: Any) -> None:
        self.pid = pid
        self.known = {"cmdline": cmdline, "status": "running", "parents": [], "net_connections": [], **known}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        value = self.known.get(name, AccessDenied)

        def answer(**_: object) -> Any:
            if isinstance(value, type) and issubclass(value, Exception):
                raise value
            return value

        return answer


def fake(monkeypatch: pytest.MonkeyPatch, processes: list[Fake]) -> SimpleNamespace:
    ps = SimpleNamespace(
        Error=PsutilError,
        NoSuchProcess=NoSuchProcess,
        AccessDenied=AccessDenied,
        STATUS_ZOMBIE="zombie",
        CONN_LISTEN="LISTEN",
        process_iter=lambda: iter(processes),
    )
    monkeypatch.setattr(_psutil, "load", lambda: ps)
    return ps


def test_unreadable_command_lines_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, [Fake(1, ["init"]), Fake(7, AccessDenied), Fake(8, PermissionError), Fake(9, NoSuchProcess)])
    found = collect(LIVE)
    assert found.forges == ()
    assert found.hidden == 2


def test_a_machine_that_lists_no_processes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ps = fake(monkeypatch, [])
    ps.process_iter = denied
    with pytest.raises(Unavailable) as caught:
        collect(LIVE)
    assert caught.value.missing.state is State.DENIED
    assert caught.value.missing.settle is not None


def test_a_forge_that_ends_while_it_is_looked_at_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, [Fake(1, ["init"]), Fake(9, ["python", "launch.py", "--api"], status=NoSuchProcess)])
    assert collect(LIVE).forges == ()


def test_what_the_system_refuses_is_left_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS, another user's process: the command line can be had in no other way than here, the rest not at all."""
    line = ["/opt/python3.10", "launch.py", "--nowebui", "--port", "7861"]
    fake(monkeypatch, [Fake(1, ["init"]), Fake(9, line, parents=AccessDenied, net_connections=AccessDenied)])
    (found,) = collect(LIVE).forges
    assert found == ForgeProcess(
        pid=9,
        argv=("--nowebui", "--port", "7861"),
        command=" ".join(line),
        python=line[0],
        recognised="flags",
        sockets_read=False,
    )


def test_a_windows_venv_shows_two_processes_and_is_one_forge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """python.exe of a venv starts the base interpreter with the same arguments and waits; the lower one is Forge."""
    root = str(checkout(tmp_path))
    line = [r"C:\forge\venv\Scripts\python.exe", "launch.py", "--api"]
    upper = Fake(10, line, cwd=root, create_time=1.0)
    lower = Fake(11, line, cwd=root, create_time=2.0, parents=[upper])
    fake(monkeypatch, [Fake(1, ["init"]), upper, lower])
    monkeypatch.setattr(sys, "platform", "win32")
    assert [one.pid for one in collect(LIVE).forges] == [11]


def test_psutil_5_names_its_sockets_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Older(Fake):
        def __getattr__(self, name: str) -> Callable[..., Any]:
            if name == "net_connections":
                raise AttributeError(name)
            return super().__getattr__(name)

    row = SimpleNamespace(laddr=("127.0.0.1", 7860), status="LISTEN")
    outgoing = SimpleNamespace(laddr=("127.0.0.1", 50123), status="ESTABLISHED")
    root = str(checkout(tmp_path))
    fake(monkeypatch, [Older(9, ["python", "launch.py"], cwd=root, connections=[row, outgoing])])
    (found,) = collect(LIVE).forges
    assert found.ports == (("127.0.0.1", 7860),)


# --- command lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python launch.py", ("launch.py", (), False)),
        ("python3.10 -u launch.py --api", ("launch.py", ("--api",), False)),
        ("/venv/bin/python3 -X dev -W ignore -B webui.py --port 1", ("webui.py", ("--port", "1"), False)),
        ("python -Xdev -Wignore launch.py", ("launch.py", (), False)),
        (r"..\system\python\python.exe launch.py", ("launch.py", (), False)),
        (r"C:\forge\venv\Scripts\pythonw.exe C:\forge\LAUNCH.PY --api", (r"C:\forge\LAUNCH.PY", ("--api",), False)),
        ("/Library/Python.app/Contents/MacOS/Python launch.py", ("launch.py", (), False)),
        ("python launch.py launch.py", ("launch.py", ("launch.py",), False)),
        (
            "python /venv/bin/accelerate launch --num_cpu_threads_per_process=6 launch.py --api",
            ("launch.py", ("--api",), True),
        ),
        ("python accelerate.exe launch --mixed_precision fp16 launch.py", ("launch.py", (), True)),
        ("python -m accelerate.commands.launch --num_processes 1 launch.py --api", ("launch.py", ("--api",), True)),
        ("python accelerate launch train.py --config launch.py", None),
        ("python accelerate config", None),
        ("vim launch.py", None),
        ("grep -rn api launch.py", None),
        ("bash -c python launch.py", None),
        ("python -m pytest launch.py", None),
        ("python -mpytest launch.py", None),
        ("python -um pytest launch.py", None),
        ("python -c pass launch.py", None),
        ("python -c launch.py", None),
        ("python -uc pass launch.py", None),
        ("python - launch.py", None),
        ("python manage.py launch.py", None),
        ("python relaunch.py", None),
        ("python", None),
        ("python -m", None),
        ("python -X", None),
        ("ipython launch.py", None),
        ("", None),
    ],
)
def test_command_lines(command: str, expected: tuple[str, tuple[str, ...], bool] | None) -> None:
    assert invocation(command.split()) == (Invocation(*expected) if expected else None)


@given(
    st.lists(
        st.sampled_from(["python", "-m", "-c", "-X", "-W", "-u", "--", "-", "launch.py", "accelerate", "launch", ""])
    )
)
def test_a_command_line_is_read_or_refused_and_never_fails(words: list[str]) -> None:
    found = invocation(words)
    if found:
        assert words[0] == "python"
        assert found.script == "launch.py"
        assert tuple(words[len(words) - len(found.arguments) :]) == found.arguments


def candidate(pid: int, *above: int, starter: bool = False, listens: bool = False, args: str = "--api") -> Candidate:
    return Candidate(
        pid=pid, ancestors=above, arguments=(args,), folder="/forge", starter=starter, listens=listens
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "forks", "heads"),
    [
        ([candidate(5), candidate(6, 5), candidate(7, 6, 5)], True, [5]),
        ([candidate(5), candidate(6, 5)], False, [6]),
        ([candidate(5), candidate(6, 5, listens=True)], True, [6]),
        ([candidate(5, listens=True), candidate(6, 5)], False, [5]),
        ([candidate(5, starter=True), candidate(6, 5)], True, [6]),
        ([candidate(5, starter=True)], True, [5]),
        ([candidate(5), candidate(6)], True, [5, 6]),
        ([candidate(5), candidate(6, 5, args="--port")], True, [5, 6]),
        ([candidate(6, 99, 5), candidate(5)], True, [5]),
    ],
)
def test_helpers_are_folded_into_their_forge(found: list[Candidate], forks: bool, heads: list[int]) -> None:
    grouped = groups(found, forks=forks)
    assert sorted(head.pid for head, _ in grouped) == heads
    assert sorted(one.pid for _, group in grouped for one in group) == sorted(one.pid for one in found)


def test_a_folder_is_judged_only_where_it_can_be_seen(tmp_path: Path) -> None:
    assert holds_forge(str(checkout(tmp_path / "forge"))) is True
    assert holds_forge(str(checkout(tmp_path / "fooocus", mark="modules/launch_util.py"))) is False
    assert holds_forge(str(tmp_path / "gone")) is None
    assert holds_forge("bad\0name") is None
