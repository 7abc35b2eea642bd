"""What is printed when the Python, the venv or the path of the program is at fault."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, t
from forgedoctor.signature import Signature

# pip could not reach its index: then "no matching distribution" says nothing of the Python.
OFFLINE = (r"NewConnectionError", r"WARNING: Retrying \(Retry", r"Temporary failure in name resolution", r"ProxyError")
UP = (r"Running on local URL", r"Startup time:")

PYTHON = Signature(
    id="python-version-unsupported",
    severity=ERROR,
    group="install",
    page="""The Python that starts the program has no packages for the pinned versions.

    What happens: "INCOMPATIBLE PYTHON VERSION", "No matching distribution found for torch==…", a package that is built
    from source and fails (scikit-image, numpy, Pillow).
    Why: wheels exist for certain Pythons only; Forge and AUTOMATIC1111 pin packages that end with 3.10 or 3.11.
    Fix: install the Python that the fork names (3.10.11 for Forge and AUTOMATIC1111), point PYTHON at it in
    webui-user.bat, delete the venv folder, start.
    Source: modules/launch_utils.py check_python_version; the wheels on PyPI.
    """,
    summary=t("This Python is too new or too old for the packages that the program pins."),
    lines=(
        r"INCOMPATIBLE PYTHON VERSION",
        r"This program is tested with 3\.\d+\S* Python, but you have",
        r"No matching distribution found for (?:torch|torchvision|numpy|scikit-image|tokenizers|mediapipe|onnxruntime)\b",
        r"Could not find a version that satisfies the requirement torch==",
        r"Package '\S+' requires a different Python",
        r"module 'pkgutil' has no attribute 'ImpImporter'",
        r"No module named '(?:distutils|imp)'",
        r"configured Python interpreter version .* is newer than PyO3",
    ),
    unless=(*OFFLINE, *UP, r"Errno 28"),
    fixes=(
        t(
            "Install the Python that the fork names (3.10.11 for Forge and AUTOMATIC1111), name it in the PYTHON line of "
            "webui-user.bat (python_cmd in webui-user.sh), delete the venv folder, start again"
        ),
    ),
    explains=("setuptools-too-new-clip-build", "dependency-missing", "msvc-runtime-or-build-tools-missing"),
    confidence=CERTAIN,
    examples=(
        "INCOMPATIBLE PYTHON VERSION\nThis program is tested with 3.10.6 Python, but you have 3.12.4.",
        "ERROR: No matching distribution found for torch==2.3.1",
    ),
    near_misses=(
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
        "ERROR: No matching distribution found for torch==2.3.1",
        "Python 3.10.6 (tags/v3.10.6:9c7b4bd)",
    ),
)

NO_WHEEL = Signature(
    id="python-version-unsupported",
    severity=ERROR,
    group="install",
    summary=t("A package has no ready-made build for this Python and cannot be built here."),
    lines=(r"Preparing metadata \(pyproject\.toml\).*(?:did not run successfully|error)", r"Failed building wheel for (?:numpy|scikit|pillow|tokenizers)"),
    unless=(*OFFLINE, *UP, r"(?i)insightface", r"Microsoft Visual C", r"pkg_resources", r"(?i)openai/CLIP"),
    fixes=(t("Use the Python that the fork names (3.10 for most), delete the venv folder, start again"),),
    confidence=POSSIBLE,
    examples=("error: subprocess-exited-with-error\nPreparing metadata (pyproject.toml) did not run successfully.",),
    near_misses=("Preparing metadata (pyproject.toml): finished with status 'done'",),
)  # fmt: skip

VENV = Signature(
    id="python-or-venv-broken",
    severity=ERROR,
    group="install",
    page="""The venv points to a Python that is gone, or no usable Python is found.

    What happens: "No Python at …", exit code 9009 or 3, "Python was not found; run without arguments to install from the
    Microsoft Store", "No module named pip".
    Why: a venv only refers to the Python it was made with; that was removed, moved or renamed. The Microsoft Store's
    Python is a placeholder that cannot make venvs as the program needs them.
    Fix: install Python from python.org, name it in the PYTHON line, delete the venv folder (it is made again).
    Source: Python's venv; webui.bat.
    """,
    summary=t("The Python behind the venv is missing or unusable."),
    lines=(
        r"No Python at ['\"]",
        r"did not find executable at '",
        r"Python was not found; run without arguments to install from the Microsoft Store",
        r"Couldn't launch python",
        r"['\"]?python(?:3|\.exe)?['\"]? is not recognized as an internal or external command",
        r"(?:exit|[Ee]rror) code:? 9009",
        r"Fatal Python error: (?:init_fs_encoding|initfsencoding|init_import)",
        r"No module named '?encodings'?",
        r"because ensurepip is not\s?",
        r"No module named (?:pip|venv)$",
        r"venv[/\\](?:Scripts|bin)[/\\]python\S* is not (?:executable|a valid)",
        r"python venv already activate or run without venv.*(?:error|abort)",
    ),
    fixes=(
        t(
            "Install Python 3.10 from python.org, name it in the PYTHON line of webui-user.bat, delete the venv folder and "
            "start again; on Linux install the packages python3-venv and python3-pip"
        ),
    ),
    explains=("dependency-missing", "non-ascii-or-bad-path"),
    confidence=CERTAIN,
    examples=(
        "No Python at 'C:\\Python39\\python.exe'",
        'Unable to create venv in directory "venv"\nexit code: 9009',
        "Couldn't launch python\nexit code: 9009",
    ),
    near_misses=("Python 3.10.6 (tags/v3.10.6:9c7b4bd)", "ModuleNotFoundError: No module named 'pipeline'"),
)

STORE_PYTHON = Signature(
    id="python-or-venv-broken",
    severity=ERROR,
    group="install",
    summary=t(
        "Windows does not let the Python that was found run: most likely the placeholder of the Microsoft Store."
    ),
    lines=(r"^\W{0,4}(?:Access is denied\.|Отказано в доступе\.|拒绝访问。)[ \t]{0,8}$",),
    unless=(r"WinError", r"Errno 13"),
    fixes=(
        t(
            "Install Python 3.10 from python.org, switch the app execution aliases for python.exe off in Windows' settings, "
            "name the new Python in the PYTHON line, delete the venv folder"
        ),
    ),
    confidence=POSSIBLE,
    examples=("Access is denied.\nPress any key to continue . . .",),
    near_misses=("PermissionError: [WinError 5] Access is denied: 'a'\nAccess is denied.",),
)

NO_VENV = Signature(
    id="python-or-venv-broken",
    severity=ERROR,
    group="install",
    summary=t("The venv cannot be made with the Python that was found."),
    lines=(r"Unable to create venv", r"venv creation failed"),
    unless=(r"[^\x00-\x7f].{0,100}python\.exe", r"using python \".{0,200}[^\x00-\x7f]"),
    fixes=(
        t("Install Python 3.10 from python.org (not the Microsoft Store), name it in the PYTHON line, delete the venv folder"),
    ),
    confidence=LIKELY,
    examples=('Unable to create venv in directory "D:\\sd\\venv"\nexit code: 1',),
    near_misses=(
        'Creating venv in directory D:\\sd\\venv using python "C:\\Users\\Łukasz\\Python310\\python.exe"\n'
        "Unable to create venv",
    ),
)  # fmt: skip

BAD_PATH = Signature(
    id="non-ascii-or-bad-path",
    severity=ERROR,
    group="install",
    page="""A path is too long, or has letters that some program on the way cannot read.

    What happens: a garbled user name in the venv's path, "The system cannot find the path specified", WinError 206,
    UnicodeDecodeError at the start, an image that cannot be saved under a long name.
    Why: console programs use the system's code page, and Windows ends paths at 260 characters unless told otherwise.
    Fix: a short folder of plain letters, such as C:\\sd; Python installed for all users; long paths enabled.
    Source: Windows' path limits; cmd code pages.
    """,
    summary=t("A path has letters that cannot be read here, or is too long."),
    lines=(
        r"using python \"[^\"\n]{0,200}[^\x00-\x7f]",
        r"WinError 206\b",
        r"[Ff]ile ?name or extension is too long",
        r"\[Errno 36\] File name too long",
        r"No such file or directory: '(?=[^'\n]{200,})",
        r"No such file or directory: '[^'\n]{60,}\.tmp'",
        r"UnicodeDecodeError: '(?:utf-8|gbk|cp\d+|charmap)' codec can't decode.*(?:position \d)",
    ),
    unless=(r"json\.load", r"PNG|png-info|parameters"),
    fixes=(
        t(
            "Move the program to a short path of plain letters (C:\\sd) and install Python for all users; shorten the file "
            "name pattern, or enable long paths in Windows"
        ),
    ),
    confidence=LIKELY,
    examples=(
        'Creating venv in directory C:\\sd\\venv using python "C:\\Users\\Jörg\\Python310\\python.exe"',
        "OSError: [WinError 206] The filename or extension is too long",
    ),
    near_misses=(
        'Creating venv in directory C:\\sd\\venv using python "C:\\Python310\\python.exe"',
        "FileNotFoundError: [Errno 2] No such file or directory: 'config.json'",
    ),
)


SIGNATURES = (
    PYTHON,
    NO_WHEEL,
    VENV,
    STORE_PYTHON,
    NO_VENV,
    BAD_PATH,
)
