"""What is printed when an extension fails, or a flag has no effect."""

from __future__ import annotations

from forgedoctor.check import ERROR, POSSIBLE, t
from forgedoctor.signature import Signature

_EXTENSION_FIX = t(
    "Update {name}, switch it off on the Extensions page, or delete its folder under extensions; "
    "--disable-all-extensions tells whether it is the one"
)

EXTENSION = Signature(
    id="extension-breaks-startup",
    severity=ERROR,
    group="log",
    page="""An extension fails at the start, or breaks what comes after it.

    What happens: "*** Error loading script:", "Error running install.py for extension", "INCOMPATIBLE GRADIO VERSION",
    a traceback that passes through extensions/.
    Why: it was written for another fork or version, lacks a package, or installs packages that the program cannot use.
    Fix: update it, switch it off, or delete its folder; --disable-all-extensions shows whether it is one of them.
    Source: modules/scripts.py; modules/launch_utils.py run_extension_installer.
    """,
    summary=t("An extension does not work with this version: {name}."),
    lines=(
        r"[Ee]rror running install\.py for extension (?:\S*[/\\])?(?P<name>[\w.!-]*[\w-])",
        r"Error loading script: (?P<name>\S+)",
    ),
    unless=(r"compiled using NumPy 1", r"CUDA out of memory"),
    fixes=(_EXTENSION_FIX,),
    confidence=POSSIBLE,
    examples=(
        "*** Error loading script: main.py",
        "*** Error running install.py for extension /sd/extensions/sd-webui-reactor.",
    ),
    near_misses=("*** Error completing request", "[-] ADetailer initialized. version: 24.5.0, num models: 10"),
)

OLD_GRADIO = Signature(
    id="extension-breaks-startup",
    severity=ERROR,
    group="log",
    summary=t("An extension was written for another version of gradio."),
    lines=(r"INCOMPATIBLE GRADIO VERSION",),
    fixes=(
        t(
            "Find the extension in the lines around that warning (regional-prompter is a known one), and update it, take a "
            "version made for this fork, or delete its folder under extensions"
        ),
    ),
    confidence=POSSIBLE,
    examples=("WARNING: INCOMPATIBLE GRADIO VERSION DETECTED!",),
    near_misses=("INCOMPATIBLE PYTHON VERSION",),
)

# A traceback through an extension before the server is up: at a request it is that request's affair.
EXTENSION_FRAME = Signature(
    id="extension-breaks-startup",
    severity=ERROR,
    group="log",
    summary=t("An extension fails while the program starts: {name}."),
    lines=(r"File \"[^\"\n]{0,300}?extensions[/\\](?P<name>[^\"/\\]+)[/\\][^\"]*\", line \d+",),
    unless=(
        r"compiled using NumPy 1",
        r"out of memory",
        r"/sdapi/v1/",
        r"Running on local URL",
        r"Uvicorn running",
        r"Startup time",
        r"(?:it/s|s/it)\]",
        r"rror (?:completing request|running (?:process|postprocess|before))",
    ),
    fixes=(_EXTENSION_FIX,),
    confidence=POSSIBLE,
    examples=(
        '  File "/sd/extensions/sd-webui-old/scripts/a.py", line 4, in <module>\n'
        "AttributeError: 'Namespace' object has no attribute 'lora_dir'",
    ),
    near_misses=(
        'Running on local URL:  http://127.0.0.1:7860\n  File "/sd/extensions/sd-webui-old/scripts/a.py", line 4, in run',
        '  File "/sd/extensions-builtin/Lora/networks.py", line 4, in <module>',
    ),
)

REMOVED_FLAG = Signature(
    id="arg-ignored-by-this-fork",
    severity=ERROR,
    group="launch",
    summary=t("{flag} does nothing in this fork."),
    lines=(r"Arg (?P<flag>--[\w-]+) is removed in Forge",),
    fixes=(
        t("Drop {flag}: Forge manages memory by itself; --always-offload-from-vram comes nearest to --medvram and --lowvram"),
    ),
    confidence=POSSIBLE,
    examples=("Arg --lowvram is removed in Forge.",),
    near_misses=("Launching Web UI with arguments: --always-offload-from-vram",),
)  # fmt: skip

FOREIGN_FLAG = Signature(
    id="arg-ignored-by-this-fork",
    severity=ERROR,
    group="launch",
    summary=t("{flag} is an option of AUTOMATIC1111: the backend of Forge does not read it."),
    lines=(r"Launching \w+ \w+ with arguments:.{0,1000}?(?P<flag>--device-id|--use-cpu)\b",),
    also=(r"Set vram state to:",),
    unless=(r"^Version: v1\.", r"^Version: (?:classic|neo)"),
    fixes=(t("In Forge choose the card with --gpu-device-id NUMBER, and the processor with --always-cpu"),),
    confidence=POSSIBLE,
    examples=("Launching Web UI with arguments: --xformers --device-id 1\nSet vram state to: NORMAL_VRAM",),
    near_misses=(
        "Launching Web UI with arguments: --gpu-device-id 1\nSet vram state to: NORMAL_VRAM",
        "Version: v1.10.1\nLaunching Web UI with arguments: --device-id 1",
    ),
)


SIGNATURES = (
    EXTENSION,
    OLD_GRADIO,
    EXTENSION_FRAME,
    REMOVED_FLAG,
    FOREIGN_FLAG,
)
