"""Containers: what docker inspect, control groups and Kubernetes' variables tell, and an engine that is really asked."""

from __future__ import annotations

import json
import shutil
import socketserver
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor.facts import _container, container
from forgedoctor.facts._container import Published, Unit
from forgedoctor.facts.container import Container
from forgedoctor.facts.host import Host
from forgedoctor.facts.interfaces import Address, Interfaces
from forgedoctor.target import Target

LONG = "4f1c2d3e4a5b" + "0" * 52


def record(**fields: Any) -> dict[str, Any]:
    """One container as docker inspect tells it, cut to what matters."""
    made: dict[str, Any] = {
        "Id": LONG,
        "Name": "/forge",
        "Path": "python3",
        "Args": ["launch.py", "--listen", "--api"],
        "State": {"Pid": 4100, "Running": True},
        "Config": {"Image": "sd:latest", "Env": ["HF_TOKEN=hf_secretsecret"], "ExposedPorts": {"7860/tcp": {}}},
        "HostConfig": {"NetworkMode": "bridge", "PortBindings": {"7860/tcp": [{"HostIp": "", "HostPort": "7860"}]}},
        "NetworkSettings": {"Ports": {"7860/tcp": [{"HostIp": "0.0.0.0", "HostPort": "7860"}, {"HostIp": "::", "HostPort": "7860"}]}},
    }  # fmt: skip
    for key, value in fields.items():
        made[key] = {**made[key], **value} if isinstance(value, dict) else value
    return made


def one(**fields: Any) -> Unit:
    return _container.parse_inspect(json.dumps([record(**fields)]))[0]


def test_published_ports_are_those_in_force() -> None:
    both = one()
    assert both.published == (
        Published(host_ip="0.0.0.0", host_port=7860, port=7860),
        Published(host_ip="::", host_port=7860, port=7860),
    )
    assert (both.id, both.name, both.network, both.exposed) == ("4f1c2d3e4a5b", "forge", "bridge", (7860,))
    assert one(NetworkSettings={"Ports": {"7860/tcp": None}}).published == ()
    local = one(NetworkSettings={"Ports": {"7860/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}}).published
    assert local == (Published(host_ip="127.0.0.1", host_port=8080, port=7860),)


def test_with_the_hosts_network_only_the_wish_is_left() -> None:
    found = one(HostConfig={"NetworkMode": "host"}, NetworkSettings={"Ports": {}})
    assert (found.network, found.published) == ("host", ())
    assert [(row.host_port, row.port) for row in found.bound] == [(7860, 7860)]


@pytest.mark.parametrize(
    ("path", "args", "env", "expected"),
    [
        ("python3", ["launch.py", "--listen", "--port", "7870"], [], (7870, False)),
        ("python3", ["launch.py", "--api"], [], (7860, True)),
        ("python3", ["launch.py", "--nowebui"], [], (7861, False)),
        ("python3", ["launch.py"], ["COMMANDLINE_ARGS=--listen"], (7860, False)),
        ("bash", ["-c", "cd /app && python webui.py --listen --port 7870 ${CLI_ARGS}"], [], (7870, False)),
        ("bash", ["-c", "python webui.py ${CLI_ARGS}"], [], (None, None)),
        ("./webui.sh", ["--api"], [], (None, None)),
        ("./webui.sh", ["--listen"], [], (None, False)),
        ("nginx", ["-g", "daemon off;"], [], (None, None)),
    ],
)
def test_what_its_command_line_makes_forge_listen_on(
    path: str, args: list[str], env: list[str], expected: tuple[int | None, bool | None]
) -> None:
    found = one(Path=path, Args=args, Config={"Env": env})
    assert (found.port, found.loopback) == expected


def test_what_is_taken_for_a_forge_and_how() -> None:
    plain = {"Name": "/db", "Path": "postgres", "Args": [], "Config": {"Image": "postgres:16"}}
    assert one().because == "command"
    assert one(**plain).because == ""
    assert one(**{**plain, "Config": {"Image": "someone/stable-diffusion-webui-forge:cu124"}}).because == "name"


def test_no_secret_of_the_environment_is_kept() -> None:
    assert "hf_secretsecret" not in repr(one())


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", "[1, 2]", '[{"Name": "/x"}]', "[" * 100_000, '{"a": '])
def test_what_is_no_inspect_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="docker inspect"):
        _container.parse_inspect(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Ports", "HostIp", "HostPort", "7860/tcp", "x"]), inner, max_size=3), max_leaves=12))  # fmt: skip
def test_odd_values_break_nothing(odd: Any) -> None:
    made = dict.fromkeys(record(), odd) | {"NetworkSettings": {"Ports": odd}, "Config": {"Env": odd, "Labels": odd}}
    assert isinstance(_container.parse_inspect(json.dumps(made))[0], Unit)


def test_words_around_the_json_are_left_out() -> None:
    text = "$ docker inspect forge\n" + json.dumps([record()], indent=1) + "\nand then?\n"
    assert _container.parse_inspect(text)[0].name == "forge"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"0::/system.slice/docker-{LONG}.scope\n", LONG[:12]),
        (f"12:pids:/docker/{LONG}\n0::/docker/{LONG}\n", LONG[:12]),
        (f"0::/machine.slice/libpod-{LONG}.scope/container\n", LONG[:12]),
        (f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{LONG}.scope\n", LONG[:12]),
        ("0::/system.slice/docker.service\n", ""),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", ""),
        ("", ""),
    ],
)
def test_the_container_of_a_process(text: str, expected: str) -> None:
    assert _container.container_of(text) == expected


def test_services_are_names_and_ports_and_nothing_else() -> None:
    env = {
        "KUBERNETES_SERVICE_HOST": "10.43.0.1", "KUBERNETES_SERVICE_PORT": "443",
        "SD_WEBUI_SERVICE_HOST": "10.43.7.7", "SD_WEBUI_SERVICE_PORT": "7860", "SD_WEBUI_SERVICE_PORT_HTTP": "7860",
        "SD_WEBUI_PORT": "tcp://10.43.7.7:7860", "LONELY_SERVICE_PORT": "1", "API_TOKEN": "secretsecret",
    }  # fmt: skip
    found = _container.services(env)
    assert [(each.name, each.ports) for each in found] == [("sd-webui", (7860,))]


@pytest.mark.parametrize(
    ("env", "config", "expected"),
    [
        ({}, None, False),
        ({}, '{"currentContext": "desktop-linux"}', False),
        ({}, '{"currentContext": "gpu-box"}', True),
        ({"DOCKER_CONTEXT": "gpu-box"}, None, True),
        ({"DOCKER_HOST": "ssh://gpu-box"}, None, True),
        ({"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}, '{"currentContext": "gpu-box"}', False),
        ({}, "{broken", False),
        ({}, "[]", False),
    ],
)
def test_a_daemon_on_another_machine_is_left_alone(
    tmp_path: Path, env: dict[str, str], config: str | None, expected: bool
) -> None:
    if config is not None:
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker" / "config.json").write_text(config)
    assert container.is_elsewhere(env, tmp_path) is expected


def test_from_inside_the_engine_is_not_asked() -> None:
    bridge = Interfaces(addresses=(Address(address="172.17.0.1", family="ipv4", interface="docker0", loopback=False, up=True),))  # fmt: skip
    found = container.collect(Target(scope="live"), Host(system="linux", container="docker"), bridge, None)
    assert (found.inside, found.kind, found.asked, found.host_network) == (True, "docker", "inside", True)
    assert found.signs and found.forges() == ()


def test_a_forge_in_a_container_that_may_not_be_asked_is_known_by_its_process() -> None:
    seen = container._seen(Unit(id=LONG[:12]), [4100])
    whole = Container(units=(seen, Unit(id="x", because="name")))
    assert whole.forges() == (seen,) and whole.of(4100) == seen and whole.of(None) is None


class _Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Api(BaseHTTPRequestHandler):
    """As much of Docker's Engine API as ``docker ps`` and ``docker inspect`` ask."""

    def do_HEAD(self) -> None:
        self._say({})

    def do_GET(self) -> None:
        if self.path.endswith("/containers/json"):
            self._say([{"Id": LONG, "Names": ["/forge"], "Image": "sd", "Command": "x", "Created": 1, "Ports": [], "State": "running", "Status": "Up", "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {}}}])  # fmt: skip
        elif self.path.endswith(f"/containers/{LONG}/json"):
            self._say(record())
        else:
            self._say({})

    def _say(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        for name, text in (("Api-Version", "1.45"), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):  # fmt: skip
            self.send_header(name, text)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def address_string(self) -> str:
        return "client"

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "docker.sock")
    server = _Daemon(path, _Api)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"unix://{path}"
    server.shutdown()
    server.server_close()


needs_docker = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("docker"), reason="needs the docker program"
)


@pytest.mark.real
@needs_docker
def test_the_real_docker_program_is_understood(daemon: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", daemon)
    monkeypatch.setattr(container, "_PATIENCE", 20.0)
    told = container._ask_engine({"DOCKER_HOST": daemon}, tmp_path)
    assert (told.engine, told.asked) == ("docker", "answered")
    assert [(each.name, len(each.published or ())) for each in told.units] == [("forge", 2)]


@pytest.mark.real
@needs_docker
def test_docker_without_its_daemon_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nobody = f"unix://{tmp_path}/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", nobody)
    monkeypatch.setattr(container, "_PATIENCE", 20.0)
    told = container._ask_engine({"DOCKER_HOST": nobody}, tmp_path)
    assert (told.asked, told.units) == ("no-daemon", ())
