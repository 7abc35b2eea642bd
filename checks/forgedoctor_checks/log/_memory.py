"""What is printed when main memory, the page file or a disk is full, and when a kernel ends the program."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, POSSIBLE, t
from forgedoctor.signature import Signature

_RAM_FIX = t(
    "Windows: let the system manage the page file, or set 40 GB or more, on a drive with that much free. Linux and "
    "containers: more swap or a higher memory limit. Everywhere: a smaller variant (fp8 T5, GGUF, NF4), fewer programs"
)

RAM = Signature(
    id="ram-or-pagefile-exhausted",
    severity=ERROR,
    group="host",
    summary=t("Main memory ran out (on Windows: memory plus page file), not the card's."),
    lines=(
        r"os error 1455",
        r"WinError 1455",
        r"paging file is too small",
        r"DefaultCPUAllocator: (?:not enough memory|can't allocate memory): you tried to allocate \d{1,10} bytes",
        r"Cannot allocate memory",
        r"fatal ?: Memory allocation failure",
        r"MemoryError: Unable to allocate [\d.]+ [KMG]iB",
        r"^MemoryError\b",
        r"std::bad_alloc",
        r"OpenBLAS error: Memory allocation still failed",
        r"页面文件太小",
    ),
    unless=(r"Cannot allocate memory in static TLS block",),
    fixes=(_RAM_FIX,),
    explains=(
        "model-file-corrupt", "model-type-not-supported", "no-checkpoint", "missing-text-encoder-or-vae",
        "linux-oom-killed", "model-renamed-corrupted",
    ),
    confidence=CERTAIN,
    examples=(
        "OSError: [WinError 1455] The paging file is too small for this operation to complete.",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: not enough memory: you tried to "
        "allocate 6553600 bytes.",
        "fatal : Memory allocation failure",
    ),
    near_misses=(
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "ImportError: libgomp.so.1: cannot allocate memory in static TLS block",
    ),
)  # fmt: skip

KILLED = Signature(
    id="linux-oom-killed",
    severity=ERROR,
    group="host",
    summary=t("The kernel ended the program because main memory was full."),
    lines=(
        r"^\W{0,4}Killed\W{0,8}$",
        r"\b\d+ Killed\s+\"?\$?\{?\w*(?:python|PYTHON|launch|webui)",
        r"zsh: killed ",
        r"died with <Signals\.SIGKILL: 9>",
        r"(?:exit(?:ed with)?|returned non-zero exit) (?:code|status):? (?:137|-9)\b",
        r"OOMKilled",
        r"Out of memory: Kill(?:ed)? process",
        r"oom-kill:",
    ),
    unless=(r"server-kill", r"Signals\.SIGTERM"),
    fixes=(
        t(
            "Give it more memory: swap on Linux; [wsl2] memory= and swap= in .wslconfig for WSL; the container's limit; a "
            "larger runtime for notebooks. Or take a smaller variant of the model"
        ),
    ),
    explains=("ram-or-pagefile-exhausted", "amd-rocm-setup"),
    confidence=CERTAIN,
    examples=(
        "Loading weights [abc] from models/Stable-diffusion/a.safetensors\nKilled",
        "./webui.sh: line 304: 12345 Killed                  \"${python_cmd}\" -u launch.py",
    ),
    near_misses=("Killed the old process, starting again", "Interrupted with signal 2 in <frame at 0x7f>"),
)  # fmt: skip

NOTEBOOK_KILLED = Signature(
    id="linux-oom-killed",
    severity=ERROR,
    group="host",
    summary=t("The notebook ended the program while it loaded a model: most likely its main memory was full."),
    lines=(r"^\W{0,2}\^C[ \t]{0,8}$",),
    also=(r"^(?:Loading weights|Loading Model|Loading model from|DiffusionWrapper has|Creating model from)",),
    unless=(r"Interrupted with signal", r"KeyboardInterrupt", r"Model loaded", r"[Ww]eights loaded in", r"[A-Z]:\\"),
    fixes=(t("Choose a runtime with more memory, or a smaller model; --lowram (AUTOMATIC1111) loads onto the card"),),
    confidence=POSSIBLE,
    examples=("Loading weights [abc] from /content/models/a.ckpt\n^C",),
    near_misses=("Running on local URL:  http://127.0.0.1:7860\n^C", "Loading weights [abc] from a.ckpt\n^C\nKeyboardInterrupt"),
)  # fmt: skip

LEAK = Signature(
    id="vram-not-released",
    severity=ERROR,
    group="memory",
    page="""Graphics memory is not given back between images.

    What happens: the first images work, later ones run out of memory or crawl; the program itself holds nearly the whole
    card; a restart helps.
    Why: a model, LoRA or extension is still referenced somewhere. Some versions of the forks had this as a bug.
    Fix: update or go back a version; "Never OOM" with UNet; --always-offload-from-vram; restart.
    Source: the forks' own warnings about leaked models; reports of their users.
    """,
    summary=t("A model stays in graphics memory although nothing needs it any more."),
    lines=(r"[Mm]emory [Ll]eak (?:detected )?with model",),
    fixes=(
        t(
            "Update the fork (or go back one version), switch off extensions one by one, start with "
            "--always-offload-from-vram; a restart or POST /sdapi/v1/unload-checkpoint frees the memory for now"
        ),
    ),
    explains=("vram-oom", "gpu-weights-too-high"),
    examples=("WARNING, memory leak with model SDXL. It will be removed from the model list.",),
    near_misses=("Unload model KModel Done.",),
)

DISK = Signature(
    id="disk-full",
    severity=ERROR,
    group="host",
    summary=t("A disk is full: the one that is written to, or the one with the temporary folder."),
    lines=(
        r"\[Errno 28\]",
        r"No space left on device",
        r"There is not enough space on the disk",
        r"WinError 112\b",
        r"ENOSPC\b",
        r"磁盘空间不足",
        r"database or disk is full",
    ),
    fixes=(
        t(
            "Free space. pip needs the temporary folder too: set TMPDIR (Linux) or TEMP (Windows) to another drive, or "
            "use pip --no-cache-dir"
        ),
    ),
    explains=(
        "install-download-network", "model-file-corrupt", "config-corrupt", "python-version-unsupported",
        "setuptools-too-new-clip-build",
    ),
    confidence=CERTAIN,
    examples=("OSError: [Errno 28] No space left on device",),
    near_misses=("OSError: [Errno 22] Invalid argument",),
)  # fmt: skip

SIGNATURES = (RAM, KILLED, NOTEBOOK_KILLED, LEAK, DISK)
