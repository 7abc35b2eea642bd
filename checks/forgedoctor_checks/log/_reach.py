"""What is printed when others cannot reach a Forge that runs: the share link, the browser's origin rules."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, t
from forgedoctor.signature import Answer, Signature

SHARE_HELPER = Signature(
    id="share-helper-missing",
    severity=ERROR,
    group="log",
    page="""The tunnel program of --share is not there or cannot run.

    What happens: "Could not create share link. Missing file: ...frpc_...".
    Why: gradio downloads it at first use; an antivirus removes it, or the network was not there. On Linux it may
    lack the right to run.
    Fix: put the named file there by hand and allow it, or do without --share.
    Source: gradio tunneling.py.
    """,
    summary=t("--share cannot work: its tunnel program (frpc) is missing. The local address is not affected."),
    lines=(
        r"Could not create share link\. Missing file",
        r"frpc_\w+.*(?:No such file|Permission denied|not found|virus)",
        r"(?:Permission denied|No such file).*frpc_",
    ),
    fixes=(
        t(
            "Fetch the file that the message names, put it in that place, allow it in the antivirus "
            "(Linux: chmod +x); or do without --share"
        ),
    ),
    confidence=CERTAIN,
    examples=(
        "Could not create share link. Missing file: /venv/lib/python3.10/site-packages/gradio/frpc_linux_amd64_v0.2.",
    ),
    near_misses=(
        "Could not create share link. Please check your internet connection or our status page: https://status.gradio.app.",
    ),
)

SHARE_SERVICE = Signature(
    id="share-service-unreachable",
    severity=ERROR,
    group="log",
    page="""The share servers are down, or the way to them is blocked.

    What happens: "Could not create share link. Please check your internet connection"; 504 from gradio.live.
    Why: --share needs gradio's servers and an outgoing connection of its own.
    Fix: look at their status page, try later, or use another way in; the local address works all the same.
    Source: gradio tunneling.py; recorded start with --share offline.
    """,
    summary=t("--share cannot reach gradio's servers; the local address is not affected."),
    lines=(
        r"Could not create share link\. Please check your (?:internet|network)",
        r"gradio\.live.*50[234]|50[234].*gradio\.live",
        r"\b504 Gateway Time-out",
    ),
    unless=(r"Missing file", r"/sdapi/"),
    fixes=(t("Try again later, or do without --share: the local address works"),),
    examples=(
        "Could not create share link. Please check your internet connection or our status page: https://status.gradio.app.",
    ),
    near_misses=(
        "Could not create share link. Missing file: gradio/frpc_linux_amd64_v0.2. Please check your internet connection.",
    ),
)

CORS = Signature(
    id="cors-blocked",
    severity=ERROR,
    group="call",
    page="""A page of another origin calls the API, and that origin is not allowed.

    What happens: "blocked by CORS policy" in the browser; OPTIONS answered 400 or 405.
    Why: a browser asks first; with --nowebui nothing is allowed by default, and an allowed origin must be the very
    same text: scheme, name (localhost is not 127.0.0.1), port, no slash at the end.
    Fix: --cors-allow-origins=http://localhost:3000 with the page's own origin. Beside Forge's web UI the flag has
    no effect.
    Source: modules/initialize_util.py configure_cors_middleware; Fetch standard.
    """,
    summary=t("The browser page's origin is not among the allowed ones (CORS)."),
    lines=(
        r"blocked by CORS policy",
        r"CORS (?:error|header .Access-Control-Allow-Origin. missing)",
        r'"OPTIONS /sdapi/\S+ HTTP/[\d.]+" 40[05]',
    ),
    answers=(Answer(method="OPTIONS", path=r"^/sdapi/", statuses=(400, 405)),),
    fixes=(
        t("With --nowebui, start with --cors-allow-origins= and the page's exact origin, without a slash at the end"),
        t("Beside the web UI of Forge and Neo that flag does nothing: use --nowebui, or a proxy that answers OPTIONS"),
    ),
    confidence=CERTAIN,
    examples=(
        "Access to fetch at 'http://127.0.0.1:7861/sdapi/v1/txt2img' from origin 'http://localhost:5173' "
        "has been blocked by CORS policy",
        "OPTIONS /sdapi/v1/txt2img -> 400",
    ),
    near_misses=("OPTIONS /sdapi/v1/txt2img -> 200",),
)

FOREIGN_PARSER = Signature(
    id="extension-interferes",
    severity=ERROR,
    group="log",
    summary=t("An extension, or a module that it loads, takes Forge's command line for its own."),
    lines=(
        r"^usage: launch\.py \[-h\] \[--"
        r"(?!f\]|update-all|gpu-device|loglevel|enable-cors|skip|config\b)\w[\w-]*",
    ),
    fixes=(t("Start with --disable-all-extensions; if it works, switch the extensions on one by one"),),
    examples=("usage: launch.py [-h] [--source SOURCE] [--target TARGET]",),
    near_misses=(
        "usage: launch.py [-h] [--update-all-extensions] [--skip-python-version-check]",
        "usage: launch.py [-h] [--gpu-device-id GPU_DEVICE_ID]",
    ),
)

SIGNATURES = (SHARE_HELPER, SHARE_SERVICE, CORS, FOREIGN_PARSER)
