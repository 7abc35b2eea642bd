"""What a log tells of memory: every layout that Forge and its relatives have printed."""

from __future__ import annotations

import pytest

from forgedoctor import engine
from forgedoctor.case import Case
from forgedoctor.fact import Missing
from forgedoctor.facts.memory_log import MemoryLog
from forgedoctor.target import Target


def looked(text: str) -> MemoryLog | Missing:
    case = Case()
    engine.Collection(Target(scope="text", texts=(("", text),)), case, lambda name: None).gather([MemoryLog])
    found = case.look(MemoryLog)
    assert isinstance(found, (MemoryLog, Missing))
    return found


def read(text: str) -> MemoryLog:
    found = looked(text)
    assert isinstance(found, MemoryLog), found
    return found


FIT = (
    "[Memory Management] Target: KModel, Free GPU: 6000.00 MB, Model Require: 6241.47 MB, Previously Loaded: 0.00 MB, "
    "Inference Require: 1024.00 MB, Remaining: -1265.47 MB, "
)


def test_the_start_names_the_card_and_its_memory() -> None:
    log = read(
        "Total VRAM 12288 MB, total RAM 32500 MB\npytorch version: 2.3.1+cu121\nSet vram state to: NORMAL_VRAM\n"
        "Always offload VRAM\nDevice: cuda:0 NVIDIA GeForce RTX 3060 : cudaMallocAsync\n"
    )
    assert (log.gpu, log.vram, log.ram) == ("NVIDIA GeForce RTX 3060", 12288, 32500)
    assert (log.torch, log.state, log.allocator, log.offload) == ("2.3.1+cu121", "NORMAL_VRAM", "cudaMallocAsync", True)


def test_neo_writes_the_start_in_other_words() -> None:
    log = read(
        "Total VRAM 10 GB; Total RAM 16 GB\nPyTorch Version: 2.9.1+cu130\nVRAM State: NORMAL_VRAM\n"
        "Device: NVIDIA GeForce RTX 3080 (cuda:0) - native\n"
    )
    assert (log.gpu, log.vram, log.torch) == ("NVIDIA GeForce RTX 3080", 10240, "2.9.1+cu130")


def test_a_model_that_does_not_fit_is_swapped() -> None:
    text = (
        FIT
        + "Shared Swap Loaded (asynchronous method): 2412.00 MB, GPU Loaded: 3829.47 MB\nMoving model(s) has taken 3.20 seconds"
    )
    (load,) = read(text).loads
    assert (load.target, load.free, load.require, load.inference, load.remaining) == (
        "KModel", 6000.0, 6241.47, 1024.0, -1265.47,
    )  # fmt: skip
    assert (load.outcome, load.swap, load.resident, load.shared, load.seconds) == ("swap", 2412.0, 3829.47, True, 3.2)


def test_an_error_on_the_same_line_leaves_the_outcome_open() -> None:
    log = read(FIT + "CUDA error: out of memory")
    assert log.loads[0].outcome == "" and log.failures[0].kind == "driver"


def test_a_progress_bar_does_not_overwrite_what_stands_on_its_line() -> None:
    log = read(
        FIT + "All loaded to GPU.\r  5%|5   | 1/20 [00:01<00:19,  1.00s/it]\r100%|###| 20/20 [00:10<00:00,  2.00it/s]"
    )
    assert log.loads[0].outcome == "full"
    assert [(one.steps, one.seconds) for one in log.paces] == [(20, 1.0), (20, 0.5)]


def test_models_are_unloaded_for_the_next_one() -> None:
    log = read(
        "[Unload] Trying to free 9137.91 MB for cuda:0 with 0 models keep loaded ... Current free memory is 2000.10 MB ... "
        "Unload model JointTextEncoder Current free memory is 9500.00 MB ... Done.\n" + FIT + "All loaded to GPU."
    )
    (freed,) = log.freed
    assert (freed.wanted, freed.free, freed.unloaded) == (9137.91, 9500.0, ("JointTextEncoder",))
    assert log.loads[0].unloaded == ("JointTextEncoder",)


@pytest.mark.parametrize(
    "said",
    ["free all memory for cuda:0 with 0", "free 953674316406250018963456.00 MB for cuda:0 with 0"],
)
def test_everything_is_no_number(said: str) -> None:
    assert read(f"[Unload] Trying to {said} models keep loaded ... Done.").freed[0].wanted is None


def test_the_layout_of_early_2024() -> None:
    log = read(
        "To load target model SDXL\nBegin to load 1 model\n[Memory Management] Current Free GPU Memory (MB) =  5000.5\n"
        "[Memory Management] Model Memory (MB) =  4897.25\n[Memory Management] Minimal Inference Memory (MB) =  1024.0\n"
        "[Memory Management] Estimated Remaining GPU Memory (MB) =  -920.75\n"
        "[Memory Management] Requested SYNC Preserved Memory (MB) =  3058.0\n"
        "[Memory Management] Parameters Loaded to SYNC Stream (MB) =  1840.0\n"
        "[Memory Management] Parameters Loaded to GPU (MB) =  3057.0\nMoving model(s) has taken 2.10 seconds\n"
        "To load target model AutoencoderKL\n[Memory Management] Current Free GPU Memory (MB) =  3000.0\n"
        "[Memory Management] Model Memory (MB) =  159.5\n[Memory Management] Minimal Inference Memory (MB) =  1024.0\n"
        "[Memory Management] Estimated Remaining GPU Memory (MB) =  1816.5\n"
    )
    unet, vae = log.loads
    assert (unet.target, unet.outcome, unet.swap, unet.resident, unet.seconds) == ("SDXL", "swap", 1840.0, 3057.0, 2.1)
    assert (vae.target, vae.outcome, vae.require) == ("AutoencoderKL", "full", 159.5)


def test_the_layout_of_august_2024() -> None:
    (load,) = read(
        "[Memory Management] Current Free GPU Memory: 7000.00 MB\n[Memory Management] Required Model Memory: 6246.84 MB\n"
        "[Memory Management] Required Inference Memory: 1024.00 MB\n"
        "[Memory Management] Estimated Remaining GPU Memory: -270.84 MB\n"
        "[Memory Management] Loaded to CPU Swap: 1650.00 MB (blocked method)\n[Memory Management] Loaded to GPU: 4596.00 MB\n"
    ).loads
    assert (load.free, load.require, load.remaining, load.swap, load.resident) == (7000, 6246.84, -270.84, 1650, 4596)


def test_the_layout_of_neo() -> None:
    log = read(
        "Requested to load Flux\nloaded partially; 5400.00 MB usable, 5300.00 MB loaded, 1000.00 MB offloaded, 45.00 MB buffer\n"
        "loaded completely; 8000.00 MB usable, 160.00 MB loaded, full load: True"
    )
    assert [(one.outcome, one.free, one.resident, one.swap) for one in log.loads] == [
        ("swap", 5400.0, 5300.0, 1000.0), ("full", 8000.0, 160.0, None),
    ]  # fmt: skip


def test_settings_and_warnings() -> None:
    log = read(
        "Environment vars changed: {'stream': True, 'inference_memory': 3072.0, 'pin_shared_memory': True}\n"
        "[GPU Setting] You will use 75.00% GPU memory (9216.00 MB) to load weights, and use 25.00% GPU memory (3072.00 MB) "
        "to do matrix computation.\n"
        "[Low GPU VRAM Warning] Your current GPU free memory is 801.50 MB for this diffusion iteration.\n"
        "[Low GPU VRAM Warning] This number is lower than the safe value of 1536.00 MB.\n"
        "[Low VRAM Warning] You just set Forge to use 100% GPU memory (12287.00 MB) to load model weights.\n"
    )
    assert [(one.weights, one.reserve, one.pinned, one.stream) for one in log.settings] == [
        (9216.0, 3072.0, True, True), (12287.0, 0.0, None, None),
    ]  # fmt: skip
    assert [one.free for one in log.low] == [801.5] and log.reserve == 0.0


@pytest.mark.parametrize(
    ("said", "kind", "wanted", "total", "free", "allocated"),
    [
        (
            "CUDA out of memory. Tried to allocate 512.00 MiB (GPU 0; 6.00 GiB total capacity; 4.50 GiB already allocated; "
            "0 bytes free; 5.00 GiB reserved in total by PyTorch)",
            "cuda", 512, 6144, 0, 4608,
        ),
        (
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacty of 8.00 GiB of which 1.50 GiB is free. "
            "Of the allocated memory 5.00 GiB is allocated by PyTorch, and 512.00 MiB is reserved by PyTorch but unallocated.",
            "cuda", 2048, 8192, 1536, 5120,
        ),
        (
            "Allocation on device 0 would exceed allowed memory. (out of memory)\nCurrently allocated     : 5.50 GiB\n"
            "Requested               : 1.00 GiB\nDevice limit            : 8.00 GiB\nFree (according to CUDA): 0 bytes\n",
            "cuda", 1024, 8192, 0, 5632,
        ),
        ("HIP out of memory. Tried to allocate 64.00 MiB.", "hip", 64, None, None, None),
        (
            "MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1.00 GB, max allowed: 9.00 GB). Tried to "
            "allocate 256.00 MB on private pool.",
            "mps", 256, 9216, None, 8192,
        ),
        (
            "Could not allocate tensor with 268435456 bytes. There is not enough GPU video memory available!",
            "directml", 256, None, None, None,
        ),
        (
            "Not enough memory, use lower resolution (max approx. 832x832). Need: 3.0GB free, Have:1.5GB free",
            "a1111", 3072, None, 1536, None,
        ),
        (
            "[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried to allocate 1048576 bytes.",
            "ram", 1, None, None, None,
        ),
    ],
)  # fmt: skip
def test_what_allocators_say(
    said: str, kind: str, wanted: float, total: float | None, free: float | None, allocated: float | None
) -> None:
    (one,) = read(f"RuntimeError: {said}").failures
    assert (one.kind, one.wanted, one.total, one.free, one.allocated) == (kind, wanted, total, free, allocated)


def test_a_process_size_that_the_driver_does_not_know_is_left_out() -> None:
    (one,) = read(
        "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 8.00 GiB of which 0 bytes is free. "
        "Including non-PyTorch memory, this process has 17179869184.00 GiB memory in use."
    ).failures
    assert one.own is None


def test_the_answer_of_the_api() -> None:
    log = read(
        'GET /sdapi/v1/memory -> 200\n{"ram": {"free": 0, "used": 1073741824, "total": 17179869184}, "cuda": {"system": '
        '{"free": 524288000, "used": 1, "total": 8589934592}, "allocated": {"current": 1048576, "peak": 8000000000}, '
        '"reserved": {"current": 2097152, "peak": 3}, "events": {"retries": 4, "oom": 2}}}'
    )
    assert log.api is not None
    assert (log.api.ooms, log.api.retries, log.api.free, log.api.total) == (2, 4, 500.0, 8192.0)


def test_the_answer_of_a_machine_without_cuda() -> None:
    log = read('GET /sdapi/v1/memory -> 200\n{"ram": {"used": 1048576}, "cuda": {"error": "unavailable"}}')
    assert log.api is not None and log.api.total is None and log.api.ooms == 0


def test_a_text_without_memory_has_nothing_to_say() -> None:
    assert isinstance(looked("Running on local URL:  http://127.0.0.1:7860"), Missing)


@pytest.mark.parametrize(
    "text",
    [
        "[Memory Management] Target: KModel, Free GPU: ....... MB",
        "Moving model(s) has taken 1.2.3.4 seconds",
        "[Low GPU VRAM Warning] Your current GPU free memory is",
        "CUDA out of memory. Tried to allocate 9.9.9 GiB (GPU 0; . GiB total capacity",
        "99999999999999999999/99999999999999999999 [00:00<00:00, 0.00it/s]",
        "Total VRAM 1e999 MB, total RAM - MB",
        'GET /sdapi/v1/memory -> 200\n{"ram": [], "cuda": {"system": null, "events": {"oom": "many"}}}',
        "\x00\x1b[31mMoving model(s) has taken\r\r\r",
    ],
)
def test_broken_numbers_are_never_fatal(text: str) -> None:
    found = looked(text)
    assert isinstance(found, MemoryLog) or "does not speak" in str(found.reason)


def test_a_hostile_line_is_bounded() -> None:
    log = read("CUDA out of memory. " + "Moving model(s) has taken 1.0 seconds\r" * 200_000)
    assert log.moves < 20_000


def test_a_long_log_is_counted_whole_and_kept_in_part() -> None:
    log = read((FIT + "All loaded to GPU.\nMoving model(s) has taken 1.00 seconds\n") * 20_000)
    assert log.moves == 20_000 and len(log.loads) == 5000
