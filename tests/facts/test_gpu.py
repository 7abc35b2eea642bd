"""What the system lists of GPUs and their driver, and which card a launch chooses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from forgedoctor.fact import Unavailable
from forgedoctor.facts import (
    Host,
    Interfaces,
    Launch,
    LaunchFiles,
    _gpu_adapters,
    _gpu_choice,
    _gpu_programs,
    _gpu_signs,
)
from forgedoctor.facts.gpu import Adapter, Card, GpuProcess, Gpus, chosen, collect
from forgedoctor.forge.predict import predict
from forgedoctor.forge.scripts import final, read_script
from forgedoctor.target import Target

OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build  (dvs-builder@U16)  Fri Aug 16\nGCC version: gcc 12.3.0\n"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version:  gcc version 11.4.0\n"
BIG = Card(index=0, name="RTX 4090", uuid="GPU-aa", total_mib=24564)
SMALL = Card(index=1, name="RTX 3070", uuid="GPU-bb", total_mib=8192)
TWO = Gpus(cards=(BIG, SMALL), count=2)


def device(root: Path, address: str, cls: str, vendor: str, dev: str, driver: str = "", **files: str) -> None:
    at = root / "sys/bus/pci/devices" / address
    at.mkdir(parents=True)
    for name, text in {"class": cls, "vendor": vendor, "device": dev, **files}.items():
        (at / name).write_text(text + "\n", encoding="utf-8")
    if driver:
        target = root / "sys/bus/pci/drivers" / driver
        target.mkdir(parents=True, exist_ok=True)
        (at / "driver").symlink_to(target)


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links, and names with colons")
def test_linux_lists_display_controllers_only(tmp_path: Path) -> None:
    device(tmp_path, "0000:00:1f.3", "0x040300", "0x8086", "0xa348", "snd_hda_intel")
    device(tmp_path, "0000:01:00.0", "0x030000", "0x10de", "0x2684", "nouveau")
    device(tmp_path, "0000:02:00.0", "0x030200", "0x10de", "0x20b0")
    device(tmp_path, "0000:03:00.0", "0x030000", "0x1002", "0x744c", "amdgpu",
           mem_info_vram_total="25753026560", mem_info_vram_used="1073741824")  # fmt: skip
    assert _gpu_adapters.linux(tmp_path) == (
        Adapter(vendor="nvidia", device="2684", bus_id="0000:01:00.0", driver="nouveau"),
        Adapter(vendor="nvidia", device="20b0", bus_id="0000:02:00.0"),
        Adapter(vendor="amd", device="744c", bus_id="0000:03:00.0", driver="amdgpu", total_mib=24560, used_mib=1024),
    )


def test_no_bus_is_not_the_same_as_no_card(tmp_path: Path) -> None:
    assert _gpu_adapters.linux(tmp_path) is None
    (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
    assert _gpu_adapters.linux(tmp_path) == ()


CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
ENUM = r"SYSTEM\CurrentControlSet\Enum\PCI"
Registry = Mapping[str, "tuple[Mapping[str, Any], list[str]]"]


def windows(keys: Registry) -> tuple[Adapter, ...] | None:
    return _gpu_adapters.windows(lambda key: keys.get(key))


def test_windows_tells_names_and_memory() -> None:
    nvidia = {
        "DriverDesc": "NVIDIA GeForce RTX 4090",
        "MatchingDeviceId": r"pci\ven_10de&dev_2684&subsys_16f21043",
        "DriverVersion": "31.0.15.5161",
        "HardwareInformation.qwMemorySize": 24146608128,
    }
    amd = {
        "DriverDesc": "AMD Radeon(TM) Graphics",
        "MatchingDeviceId": r"PCI\VEN_1002&DEV_164E",
        "HardwareInformation.qwMemorySize": (512 << 20).to_bytes(8, "little"),
    }
    virtual = {"DriverDesc": "Parsec Virtual Display", "MatchingDeviceId": r"root\parsec"}
    found = windows(
        {
            CLASS: ({}, ["0000", "0001", "0002", "0003", "Properties"]),
            f"{CLASS}\\0000": (nvidia, []),
            f"{CLASS}\\0001": (amd, []),
            f"{CLASS}\\0002": (virtual, []),
            ENUM: ({}, ["VEN_10DE&DEV_2684&SUBSYS_16F21043&REV_A1"]),
        }
    )
    assert found is not None
    assert [(one.vendor, one.name, one.total_mib) for one in found] == [
        ("nvidia", "NVIDIA GeForce RTX 4090", 23028),
        ("amd", "AMD Radeon(TM) Graphics", 512),
    ]


def test_windows_without_a_driver_still_knows_the_device() -> None:
    basic = {"DriverDesc": "Microsoft Basic Display Adapter", "MatchingDeviceId": r"PCI\CC_0300"}
    keys: Registry = {
        CLASS: ({}, ["0000"]),
        f"{CLASS}\\0000": (basic, []),
        ENUM: ({}, ["VEN_8086&DEV_A348", "VEN_10DE&DEV_2684&SUBSYS_1", "VEN_10DE&DEV_22BA&SUBSYS_1"]),
    }
    assert windows(keys) == (Adapter(vendor="nvidia", device="2684", present=False),)
    assert windows({CLASS: ({}, []), ENUM: ({}, ["VEN_8086&DEV_A348"])}) == ()
    assert windows({}) is None


def test_a_mac_shares_its_memory() -> None:
    text = json.dumps(
        {"SPDisplaysDataType": [{"sppci_model": "Apple M2 Pro", "spdisplays_vendor": "sppci_vendor_Apple"}]}
    )
    assert _gpu_adapters.of_profiler(text, "34359738368\n") == (
        Adapter(vendor="apple", name="Apple M2 Pro", total_mib=32768),
    )
    old = {"sppci_model": "AMD Radeon Pro 5500M", "spdisplays_vendor": "AMD (0x1002)", "spdisplays_vram": "8 GB"}
    found = _gpu_adapters.of_profiler(json.dumps({"SPDisplaysDataType": [old]}))
    assert found == (Adapter(vendor="amd", name="AMD Radeon Pro 5500M", total_mib=8192),)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"SPDisplaysDataType": 3}', "[" * 100_000])
def test_a_mac_that_answers_strangely(text: str) -> None:
    assert _gpu_adapters.of_profiler(text) is None


@pytest.mark.parametrize(
    ("text", "expected"), [(OPEN, "560.35.03"), (CLOSED, "550.54.14"), ("", ""), ("NVRM version:", "")]
)
def test_the_version_of_the_kernel_driver(text: str, expected: str) -> None:
    assert _gpu_signs.module_version(text) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's files")
def test_the_marks_of_a_driver(tmp_path: Path) -> None:
    for name in (
        "dev/nvidia0",
        "dev/nvidiactl",
        "dev/nvidia-uvm",
        "dev/nvidia-caps",
        "dev/sda",
        "usr/lib64/libcuda.so.1",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/version").write_text(CLOSED, encoding="utf-8")
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    efi = tmp_path / "sys/firmware/efi/efivars"
    efi.mkdir(parents=True)
    (efi / "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"\x06\0\0\0\x01")
    signs = _gpu_signs.linux(
        tmp_path, {"NVIDIA_VISIBLE_DEVICES": "void", "HOME": "/root"}, "/x/libnvidia-ml.so.1", True
    )
    assert signs.nodes == ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl") and signs.closed == ()
    assert (signs.module, signs.modules, signs.cuda, signs.secure_boot) == ("550.54.14", ("nvidia",), True, True)
    assert signs.variables == {"NVIDIA_VISIBLE_DEVICES": "void"} and not signs.wsl_library
    assert _gpu_signs.linux(tmp_path / "nothing", {}, "", True).nodes == ()


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="drops root's rights to see what is refused")
def test_a_device_file_that_may_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidiactl").touch(mode=0o600)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    code = f"from pathlib import Path; from forgedoctor.facts import _gpu_signs as s; print(s.linux(Path({str(tmp_path)!r}), {{}}, '', True).closed)"
    script = f"import os; os.setgid(65534); os.setuid(65534); {code}"
    done = subprocess.run(
        [sys.executable, "-c", f"import forgedoctor.facts._gpu_signs; {script}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "('/dev/nvidiactl',)", done.stderr


def launch(argv: str = "", fork: str = "forge", **more: Any) -> Launch:
    return Launch(effective=predict(fork, argv.split(), {}), argv=tuple(argv.split()), origin="command line", **more)


@pytest.mark.parametrize(
    ("argv", "fork", "variables", "outcome", "index"),
    [
        ("--gpu-device-id 1", "forge", {}, "unknown", None),
        ("--gpu-device-id 1", "forge", {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "card", 1),
        ("--gpu-device-id 5", "forge", {"CUDA_VISIBLE_DEVICES": "0"}, "none", None),
        ("--gpu-device-id 0", "forge", {"CUDA_VISIBLE_DEVICES": "GPU-bb"}, "unknown", None),
        ("--cuda-device 1", "reforge", {"CUDA_DEVICE_ORDER": "pci_bus_id"}, "card", 1),
        ("--device-id 1", "a1111", {"CUDA_VISIBLE_DEVICES": "GPU-bb,GPU-aa"}, "card", 0),
        ("--device-id 0,1", "a1111", {}, "none", None),
        ("--device-id 1", "forge", {}, "unknown", None),
        ("", "forge", {"CUDA_VISIBLE_DEVICES": "GPU-bb"}, "card", 1),
    ],
)
def test_flags_and_variables_choose(
    argv: str, fork: str, variables: dict[str, str], outcome: str, index: int | None
) -> None:
    found = chosen(TWO, launch(argv, fork), {name: (value, "here") for name, value in variables.items()})
    assert (found.pick.outcome, found.pick.index) == (outcome, index)


def test_where_forge_is_seen_is_certain() -> None:
    busy = Card(index=1, name="RTX 3070", processes=(GpuProcess(pid=4243, parent=4242),))
    gpus = Gpus(cards=(BIG, busy), count=2)
    found = chosen(gpus, launch(running=True, pid=4242), {})
    assert (found.seen_on, found.index, found.pick.outcome) == ((1,), 1, "unknown")
    foreign = Gpus(cards=(BIG, busy), count=2, foreign_pids=True)
    assert chosen(foreign, launch(running=True, pid=4242), {}).index is None


def test_hidden_variables_are_not_taken_for_unset_ones() -> None:
    found = chosen(TWO, launch(running=True, pid=4242), None)
    assert (found.known, found.pick.outcome, found.pick.why) == (False, "unknown", "variables-hidden")


def launcher(name: str, text: str) -> LaunchFiles:
    script = read_script(name, text.encode())
    return LaunchFiles(scripts=(script,), variables=final((script,), {}))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("webui-user.bat", "set CUDA_VISIBLE_DEVICES=1\r\n", "1"),
        ("webui-user.sh", "export CUDA_VISIBLE_DEVICES=GPU-bb\n", "GPU-bb"),
        ("webui-user.sh", "# export CUDA_VISIBLE_DEVICES=1\n", "0"),
        ("webui-user.bat", "rem set CUDA_VISIBLE_DEVICES=1\r\n", "0"),
        ("webui-user.bat", "set CUDA_VISIBLE_DEVICES=\r\n", None),
        ("webui-user.sh", "export CUDA_VISIBLE_DEVICES=1\nunset CUDA_VISIBLE_DEVICES\n", None),
        ("webui-user.sh", "export CUDA_VISIBLE_DEVICES=\n", ""),
    ],
)
def test_a_launcher_file_comes_after_the_environment(name: str, text: str, expected: str | None) -> None:
    env = {"CUDA_VISIBLE_DEVICES": "0", "CUDA_PATH": "C:\\cuda", "HOME": "/root"}
    found = _gpu_choice.variables(launch(), launcher(name, text), env)
    assert found is not None and set(found) <= {"CUDA_VISIBLE_DEVICES"}
    assert found.get("CUDA_VISIBLE_DEVICES", (None, ""))[0] == expected


def test_a_launcher_file_sets_the_order_and_may_hold_a_slip() -> None:
    text = '@echo off\r\nset "CUDA_DEVICE_ORDER=PCI_BUS_ID"\r\nset CUDA_VISIBLE_DEVICE=1\r\n'
    found = _gpu_choice.variables(launch(), launcher("webui-user.bat", text), {})
    assert found == {
        "CUDA_DEVICE_ORDER": ("PCI_BUS_ID", "webui-user.bat line 2"),
        "CUDA_VISIBLE_DEVICE": ("1", "webui-user.bat line 3"),
    }


def test_slips_of_the_pen() -> None:
    env = {"CUDA_VISIBLE_DEVICE": "1", "CUDA_VISBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_PATH": "x",
           "NVIDIA_VISIBLE_DEVICES": "all", "HIP_VISIBLE_DEVICES": "0", "ROCR_VISIBLE_DEVICES": "0"}  # fmt: skip
    found = _gpu_choice.variables(launch(), None, env)
    assert found is not None
    assert [name for name, _, _ in _gpu_choice.slips(found)] == ["CUDA_VISIBLE_DEVICE", "CUDA_VISBLE_DEVICES"]


@pytest.mark.skipif(sys.platform == "win32", reason="reads the environment of a process of this user")
def test_a_running_forge_is_asked_for_its_own_variables() -> None:
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "7", "SECRET": "x"}
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout and one.stdout.readline()
        found = _gpu_choice.variables(launch(running=True, pid=one.pid), None, {"CUDA_VISIBLE_DEVICES": "0"})
        one.communicate(b"")
    assert found == {"CUDA_VISIBLE_DEVICES": ("7", f"process {one.pid}")}


def test_programs_get_their_names_and_one_that_ended_stays_a_number() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    card = Card(index=0, processes=(GpuProcess(pid=os.getpid(), used_mib=5), GpuProcess(pid=gone.pid, used_mib=7)))
    own, ended = _gpu_programs.named((card,))[0].processes or ()
    assert own.name and own.command and own.used_mib == 5 and own.parent == os.getppid()
    assert (ended.name, ended.used_mib) == ("", 7)


def test_another_machines_gpu_is_not_this_ones() -> None:
    with pytest.raises(Unavailable) as why:
        collect(Target(scope="live", url="http://192.0.2.7:7860"), Host(system="linux"), Interfaces())
    assert not why.value.missing.sought
