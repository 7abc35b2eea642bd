"""What is printed when a package is missing, or cannot be built or loaded."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, t
from forgedoctor.signature import Signature
from forgedoctor_checks.log._python import OFFLINE, UP

CLIP = Signature(
    id="setuptools-too-new-clip-build",
    severity=ERROR,
    group="install",
    page="""CLIP cannot be built, because newer setuptools left out pkg_resources.

    What happens: "Couldn't install clip", "Getting requirements to build wheel did not run successfully", "No module named
    'pkg_resources'".
    Why: CLIP's setup.py imports pkg_resources, and pip builds it with the newest setuptools, whatever the venv has.
    Fix: an older setuptools in the venv, and a build without isolation.
    Source: setuptools' changes of 2025 and 2026; pip's build isolation.
    """,
    summary=t("CLIP (or a package like it) cannot be built with the newest setuptools."),
    lines=(
        r"No module named 'pkg_resources'",
        r"Getting requirements to build wheel did not run successfully",
        r"Getting requirements to build wheel: finished with status 'error'",
        r"Failed to build 'https://github\.com/openai/CLIP",
        r"pip-build-env.*setuptools[/\\]build_meta\.py",
    ),
    unless=(r"ImpImporter", *OFFLINE, r"Errno 28", r"Microsoft Visual C", r"(?i)insightface"),
    fixes=(
        t(
            'In Forge\'s Python: python -m pip install "setuptools<81" wheel, then python -m pip install '
            "--no-build-isolation https://github.com/openai/CLIP/archive/d50d76daa670286dd6cacf3bcd80b5e4823fc8e1.zip"
        ),
    ),
    explains=("dependency-missing", "python-version-unsupported", "install-download-network"),
    confidence=LIKELY,
    examples=(
        "ModuleNotFoundError: No module named 'pkg_resources'",
        "RuntimeError: Couldn't install clip.\n  × Getting requirements to build wheel did not run successfully.",
    ),
    near_misses=(
        "RuntimeError: Couldn't install clip.\nWARNING: Retrying (Retry(total=4)) after connection broken",
        "AttributeError: module 'pkgutil' has no attribute 'ImpImporter'\n"
        "Getting requirements to build wheel did not run successfully",
    ),
)

COMPILER = Signature(
    id="msvc-runtime-or-build-tools-missing",
    severity=ERROR,
    group="install",
    page="""Microsoft's runtime libraries or its compiler are missing.

    What happens: "Error loading c10.dll or one of its dependencies", WinError 126 with fbgemm.dll, "Microsoft Visual C++
    14.0 or greater is required", "Failed to install insightface".
    Why: torch's libraries need the Visual C++ runtime; packages without a ready-made build need the compiler.
    Fix: the current Visual C++ redistributable (x64) for the first, the C++ build tools for the second.
    Source: torch on Windows; Microsoft.
    """,
    summary=t("Microsoft's C++ runtime or compiler is missing."),
    lines=(
        r"Error loading \".*\.dll\" or one of its dependencies",
        r"WinError (?:126|127|1114|193)\].{0,200}(?:fbgemm|c10|torch\w*|shm|caffe2\w*|asmjit|libiomp5md)\.dll",
        r"fbgemm\.dll",
        r"Microsoft Visual C\+\+ \d+\.\d+ (?:or greater )?is required",
        r"install C\+\+ [Bb]uild [Tt]ools",
        r"Failed (?:to install|building wheel for|to build) insightface",
        r"command 'cl\.exe' failed",
        r"DLL load failed while importing (?:onnxruntime_pybind11_state|cv2)",
    ),
    unless=(r"(?i)zluda", r"amdhip", r"No space left"),
    fixes=(
        t(
            "A DLL that cannot be loaded: install the Visual C++ redistributable (x64) and restart. A package that has to "
            "be built: install Microsoft's C++ build tools, or a ready-made wheel of that package"
        ),
    ),
    explains=("no-nvidia-gpu", "torch-cpu-build", "setuptools-too-new-clip-build", "dependency-missing"),
    confidence=CERTAIN,
    examples=(
        'OSError: [WinError 126] The specified module could not be found. Error loading "torch\\lib\\c10.dll" or one of '
        "its dependencies.",
        "error: Microsoft Visual C++ 14.0 or greater is required.",
    ),
    near_misses=("ImportError: DLL load failed while importing _extension_of_somebody",),
)

MISSING = Signature(
    id="dependency-missing",
    severity=ERROR,
    group="install",
    page="""A package, or a part of the program itself, is missing.

    What happens: the start ends with "ModuleNotFoundError: No module named …".
    Why: an installation broke off, a file was deleted or moved into quarantine, or --skip-install was given to an
    environment that is not complete.
    Fix: start once without --skip-install; where the program's own part is missing, restore it with git.
    Source: Python's import.
    """,
    summary=t("The program cannot find one of its parts: {name}."),
    lines=(
        r"^(?:ModuleNotFoundError|ImportError): No module named '(?P<name>[\w.]+)'",
        r"ImportError: (?P<name>lib(?!cuda|nvidia|bitsandbytes|amdhip|hip|roc)[\w.+-]+\.so[\w.]*): cannot open shared object",
        r"can't open file '\S*?(?P<name>launch\.py|webui\.py)'",
    ),
    unless=(
        r"No module named '(?:triton|pkg_resources|distutils|imp|pip|encodings|torchvision\.transforms|pytorch_lightning"
        r"|gradio|fastapi|starlette|pydantic|uvicorn|gradio_client)\b",
        r"Error loading script", r"[/\\]extensions[/\\]", r"Error executing callback", r"install\.py for extension", *UP,
    ),
    fixes=(
        t(
            "A package: start once without --skip-install, or delete the venv folder. A part of the program (modules, "
            "modules_forge, ldm, backend): git status shows what is gone, git checkout . brings it back"
        ),
    ),
    explains=("no-nvidia-gpu",),
    confidence=LIKELY,
    examples=("ModuleNotFoundError: No module named 'modules.launch_utils'", "ModuleNotFoundError: No module named 'safetensors'"),
    near_misses=(
        "    ModuleNotFoundError: No module named 'insightface'",
        "A matching Triton is not available, some optimizations will not be enabled\n"
        "ModuleNotFoundError: No module named 'triton'",
    ),
)  # fmt: skip

OWN_SCRIPT = Signature(
    id="dependency-missing",
    severity=ERROR,
    group="install",
    summary=t("A part of the program itself lacks a package: {name}."),
    lines=(r"^\s+ModuleNotFoundError: No module named '(?P<name>(?!modules_forge|pkg_resources)[\w.]+)'",),
    also=(r"Error loading script", r"extensions-builtin[/\\]"),
    unless=(r"[/\\]extensions[/\\]",),
    fixes=(t("Start once without --skip-install with the network there; or install {name} into Forge's Python"),),
    explains=("extension-breaks-startup",),
    examples=(
        "*** Error loading script: a.py\n"
        '      File "/sd/extensions-builtin/soft-inpainting/scripts/a.py", line 3, in <module>\n'
        "    ModuleNotFoundError: No module named 'scipy'",
    ),
    near_misses=(
        "*** Error loading script: a.py\n"
        '      File "/sd/extensions/mine/scripts/a.py", line 3, in <module>\n'
        "    ModuleNotFoundError: No module named 'scipy'",
    ),
)

STACK_CUT = Signature(
    id="web-stack-version-mismatch",
    severity=ERROR,
    group="install",
    summary=t("gradio, pydantic, fastapi or their kin do not fit one another: the import of gradio fails."),
    lines=(r"^\s*from gradio(?:_client)?\.[\w.]+ import ", r"^\s*(?:from|import) (?:pydantic|fastapi|starlette)\b.*$"),
    also=(r"import gradio|import fastapi|import pydantic|initialize\.imports\(\)",),
    unless=(r"No module named", r"ProxyError", r"[/\\]extensions[/\\]", *UP),
    fixes=(
        t(
            "Install the versions that this fork pins (requirements_versions.txt) in its own venv: pydantic 1.10.15 with "
            "gradio 3, pydantic 2.10.6 with gradio 4"
        ),
    ),
    confidence=POSSIBLE,
    examples=(
        '  File "modules/initialize.py", line 35, in imports\n    import gradio  # noqa: F401\n'
        '  File "site-packages/gradio/components/image.py", line 12, in <module>\n'
        "    from gradio.components.base import Component",
    ),
    near_misses=("Version: v1.10.1\nimport gradio: 2.4s",),
)


SIGNATURES = (
    CLIP,
    COMPILER,
    MISSING,
    OWN_SCRIPT,
    STACK_CUT,
)
