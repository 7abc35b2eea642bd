"""What is printed when a file's rights, its owner, or a settings file is at fault."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, t
from forgedoctor.signature import Signature

OWNERSHIP = Signature(
    id="git-dubious-ownership",
    severity=ERROR,
    group="install",
    page="""git refuses a folder that belongs to somebody else.

    What happens: "detected dubious ownership in repository", "Commit hash: <none>", an update that does nothing.
    Why: the folder was made by another account (administrator, root) or lies on a drive without owners; git then takes
    no configuration from it.
    Fix: name the folder as safe, or take ownership of it; the folders under repositories count for themselves.
    Source: git config safe.directory.
    """,
    summary=t("git refuses the folder, because it belongs to another user."),
    lines=(r"detected dubious ownership in repository", r"unsafe repository \('"),
    fixes=(
        t(
            "git config --global --add safe.directory FOLDER, as git prints it, for each folder that is named (* allows "
            "all); or take ownership of the folder"
        ),
    ),
    explains=("install-download-network", "upstream-repo-gone", "permission-denied"),
    confidence=CERTAIN,
    examples=("fatal: detected dubious ownership in repository at 'E:/webui'",),
    near_misses=("Commit hash: <none>",),
)

SETTINGS = Signature(
    id="config-corrupt",
    severity=ERROR,
    group="install",
    summary=t("A settings file (config.json or ui-config.json) is damaged."),
    lines=(
        r"loading settings: (?:json\.decoder\.)?JSONDecodeError",
        r"Could not load settings",
        r"The config file \".*\" is likely corrupted",
        r"settings = json\.load\(",
        r"ui_loadsave\.py.*read_from_file",
        r"opts\.load\(config_filename\)",
        r"self\.data = json\.load\(",
        r"options\.py\", line \d+, in load\b",
    ),
    also=(r"JSONDecodeError|Expecting value: line|Expecting property name|Unterminated string|likely corrupted|Could not load settings",),
    fixes=(
        t(
            "Put the file aside (rename config.json or ui-config.json, whichever the lines above name): the program makes "
            "a new one; or repair it with an editor"
        ),
    ),
    explains=("localhost-via-system-proxy", "server-half-dead", "server-thread-dead"),
    confidence=CERTAIN,
    examples=(
        "*** Could not load settings\njson.decoder.JSONDecodeError: Extra data: line 3 column 2 (char 40)",
        'Expecting value: line 1 column 1 (char 0)\n  File "modules/shared.py", line 500, in <module>\n'
        "    opts.load(config_filename)",
    ),
    near_misses=("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",),
)  # fmt: skip

DENIED = Signature(
    id="permission-denied",
    severity=ERROR,
    group="install",
    page="""The system does not let the program write, delete or start a file.

    What happens: "[WinError 5] Access is denied", "PermissionError: [Errno 13]", "attempt to write a readonly database".
    Why: the folder belongs to another account or lies under Program Files, another process holds the file, the disk is
    mounted read-only, or a guard program forbids it.
    Fix: rights on the folder, close what holds the file, another place.
    Source: the systems' own errors.
    """,
    summary=t("The system does not let the program use a file or folder: rights, or another process holds it."),
    lines=(
        r"\[WinError (?:5|32)\]",
        r"PermissionError: \[Errno 13\] Permission denied: ",
        r"attempt to write a readonly database",
        r"\[Errno 30\] Read-only file system",
        r"fatal: could not create (?:work tree|leading directories).*Permission denied",
        r"error: unable to (?:create|unlink|write) .*Permission denied",
    ),
    unless=(r"WinError 4551", r"error while attempting to bind"),
    fixes=(
        t(
            "Close every running copy of the program, move it out of Program Files and synchronised folders, give your "
            "account full rights on its folder; on Linux chown it to the user who starts it"
        ),
    ),
    confidence=LIKELY,
    examples=(
        "PermissionError: [WinError 5] Access is denied: 'C:\\\\sd\\\\venv\\\\Lib\\\\site-packages\\\\torch'",
        "PermissionError: [Errno 13] Permission denied: 'outputs/txt2img-images'",
    ),
    near_misses=(
        "ERROR:    [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied",
        "PermissionError: [WinError 10013]",
    ),
)

GUARD = Signature(
    id="security-software-block",
    severity=ERROR,
    group="install",
    page="""Security software blocks or removes a file of the program.

    What happens: WinError 4551 ("An Application Control policy has blocked this file"), WinError 225, a file that is gone
    after a message about a trojan.
    Why: Smart App Control refuses unsigned libraries; scanners take some compiled modules and pickled models for malware.
    Fix: an exclusion for the program's folder once you trust its source; Smart App Control off; safetensors files.
    Source: Microsoft's system error codes.
    """,
    summary=t("Security software blocks a file of the program."),
    lines=(
        r"WinError 4551",
        r"WinError 225\b",
        r"Application Control policy has blocked",
        r"Trojan:\w+/",
        r"contains a virus or potentially unwanted software",
        r"应用程序控制策略已阻止",
    ),
    fixes=(
        t(
            "If you trust where the file comes from: make an exclusion for the program's folder in your scanner; Smart App "
            "Control has none and can only be switched off. Prefer safetensors files"
        ),
    ),
    explains=("permission-denied", "dependency-missing", "msvc-runtime-or-build-tools-missing"),
    confidence=CERTAIN,
    examples=("ImportError: [WinError 4551] An Application Control policy has blocked this file.",),
    near_misses=("OSError: [WinError 5] Access is denied",),
)


SIGNATURES = (
    OWNERSHIP,
    SETTINGS,
    DENIED,
    GUARD,
)
