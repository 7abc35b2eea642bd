"""Causes that the web layer prints. Each entry is a cause; what else is known of it stands in the check of that id."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, Check, t
from forgedoctor.signature import Answer, Signature, as_check

_DENIED = r"(?:WinError 10013|\[Errno 13\])"
_NO_LOCALHOST = r"When localhost is not accessible, a shareable link must be created"
_STACK_BROKEN = (
    r"argument of type 'bool' is not iterable", r"cannot import name '\w+' from '(?:pydantic|gradio_client|gradio|fastapi|starlette)",
    r"'FieldInfo' object has no attribute", r"PydanticUserError|PydanticSchemaGenerationError|PydanticImportError",
    r"AttributeError: __pydantic_core_schema__|AttributeError: __config__|_model_construction\.py.* in __?getattr",
    r"ModuleNotFoundError: No module named '(?:gradio|fastapi|starlette|pydantic|uvicorn|gradio_client)[.']",
)  # fmt: skip

SIGNATURES = (
    Signature(
        id="port-in-use",
        severity=ERROR,
        group="port",
        summary=t("The port is held by another program."),
        lines=(
            r"\[Errno (?:98|48|10048)\] .*(?:bind|address)", r"WinError 10048", r"[Aa]ddress already in use",
            r"OSError: Port \d+ is in use", r"OSError: Cannot find empty port in range: \d+-\d+", r"OSError: All ports from \d+ to \d+ are in use",
        ),
        unless=(_DENIED, r"\[Errno (?:99|-2|10049|11001)\]", r"getaddrinfo failed", r"WinError 10049"),
        fixes=(t("Find and end the program that holds it (Windows: netstat -ano; Linux: ss -ltnp), or choose another --port"),),
        explains=("endpoint-unreachable", "port-walked"),
        examples=("OSError: Cannot find empty port in range: 7860-7860.", "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 7861): address already in use"),
        near_misses=("OSError: Port 7860 is in use.\nPermissionError: [WinError 10013] x", "ERROR:    [Errno 99] error while attempting to bind on address ('10.1.2.3', 7860): cannot assign requested address\nOSError: Cannot find empty port in range: 7860-7860."),
    ),
    Signature(
        id="windows-port-reserved",
        severity=ERROR,
        group="port",
        summary=t("Windows does not let Forge have the port, although nobody listens on it."),
        lines=(r"WinError 10013", r"\[Errno 13\] error while attempting to bind on address"),
        unless=(r"\('[^']*', (?:[1-9]\d{0,2}|10[01]\d|102[0-3])\)",),
        fixes=(t("See netsh interface ipv4 show excludedportrange protocol=tcp, and give a --port outside these ranges"),),
        explains=("port-in-use",),
        confidence=CERTAIN,
        examples=("PermissionError: [WinError 10013] \nOSError: Port 7860 is in use.",),
        near_misses=("ERROR:    [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied",),
    ),
    Signature(
        id="bind-address-invalid",
        severity=ERROR,
        group="port",
        summary=t("--server-name is no address of this machine."),
        lines=(
            r"\[Errno (?:99|49|10049)\] .*bind", r"WinError 10049", r"ERROR: +\[Errno -[235]\]", r"ERROR: +\[Errno 11001\]",
        ),
        fixes=(t("Use --listen, or one of this machine's own addresses after --server-name"),),
        explains=("port-in-use", "endpoint-unreachable"),
        confidence=CERTAIN,
        examples=("ERROR:    [Errno 99] error while attempting to bind on address ('10.1.2.3', 7860): cannot assign requested address", "ERROR:    [Errno -2] Name or service not known"),
        near_misses=("urllib3.exceptions.NameResolutionError: [Errno -2] Name or service not known",),
    ),
    Signature(
        id="localhost-via-system-proxy",
        severity=ERROR,
        group="proxy",
        summary=t("A proxy or VPN catches Forge's request to its own address."),
        lines=(
            _NO_LOCALHOST, r"ProxyError|proxies=proxies|_http_proxy\.py|AsyncForwardHTTPConnection|socks\.py",
            r"Expecting value: line 1 column 1 \(char 0\)", r"httpx\.(?:ConnectError|ReadTimeout|RemoteProtocolError).*startup-events",
        ),
        unless=(*_STACK_BROKEN, r"CERTIFICATE_VERIFY_FAILED", r"huggingface\.co|github\.com|pypi\.org"),
        fixes=(t("Set NO_PROXY=localhost,127.0.0.1 where Forge and its clients are started, or switch the proxy off for them; --share only hides it"),),
        examples=("ValueError: When localhost is not accessible, a shareable link must be created. Please set share=True",),
        near_misses=("TypeError: argument of type 'bool' is not iterable\nValueError: When localhost is not accessible, a shareable link must be created.",),
    ),
    Signature(
        id="proxy-env-malformed",
        severity=ERROR,
        group="proxy",
        summary=t("A proxy variable has a value that cannot be read."),
        lines=(r"Unknown scheme for proxy URL", r"httpx\.InvalidURL: Invalid port", r"invalid literal for int\(\) with base 10: ':?:?1\]?'"),
        fixes=(t("Take a bare ::1 out of NO_PROXY, and write proxies as http://HOST:PORT"),),
        confidence=CERTAIN,
        examples=("ValueError: Unknown scheme for proxy URL URL('socks://127.0.0.1:1080/')",),
        near_misses=("ValueError: invalid literal for int() with base 10: 'abc'",),
    ),
    Signature(
        id="web-stack-version-mismatch",
        severity=ERROR,
        group="install",
        summary=t("gradio, pydantic, fastapi or their kin do not fit one another."),
        lines=_STACK_BROKEN,
        fixes=(t("Install the versions that this fork pins (requirements_versions.txt) in its own venv; for the 'bool' error pydantic==2.10.6"),),
        explains=("localhost-via-system-proxy", "server-half-dead"),
        confidence=CERTAIN,
        examples=("TypeError: argument of type 'bool' is not iterable", "AttributeError: 'FieldInfo' object has no attribute 'type_'"),
        near_misses=("TypeError: argument of type 'NoneType' is not iterable",),
    ),
    Signature(
        id="tls-cert-unusable",
        severity=ERROR,
        group="endpoint",
        summary=t("The TLS certificate or key is missing, expired or not trusted."),
        lines=(
            r"certificate verify failed: (?:self[- ]signed|certificate has expired|Hostname mismatch|unable to get issuer)",
            r"Invalid path to TLS (?:keyfile|certfile)", r"ssl_certfile must be provided", r"load_cert_chain\(",
        ),
        fixes=(t("Give the right paths to --tls-keyfile and --tls-certfile, with a certificate that is trusted and holds for the name; or do TLS in a proxy"),),
        explains=("localhost-via-system-proxy",),
        examples=("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",),
        near_misses=("<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate>",),
    ),
    Signature(
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
        summary=t("--share cannot work: its tunnel program (frpc) is missing."),
        lines=(r"Could not create share link\. Missing file", r"frpc_\w+.*(?:No such file|Permission denied|not found|virus)", r"(?:Permission denied|No such file).*frpc_"),
        fixes=(t("Fetch the file that the message names, put it in that place, allow it in the antivirus (Linux: chmod +x); or do without --share"),),
        confidence=CERTAIN,
        examples=("Could not create share link. Missing file: /venv/lib/python3.10/site-packages/gradio/frpc_linux_amd64_v0.2.",),
        near_misses=("Could not create share link. Please check your internet connection or our status page: https://status.gradio.app.",),
    ),
    Signature(
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
        lines=(r"Could not create share link\. Please check your (?:internet|network)", r"gradio\.live.*50[234]|50[234].*gradio\.live", r"\b504 Gateway Time-out"),
        unless=(r"Missing file", r"/sdapi/"),
        fixes=(t("Try again later, or do without --share: the local address works"),),
        examples=("Could not create share link. Please check your internet connection or our status page: https://status.gradio.app.",),
        near_misses=("Could not create share link. Missing file: gradio/frpc_linux_amd64_v0.2. Please check your internet connection.",),
    ),
    Signature(
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
        lines=(r"blocked by CORS policy", r"CORS (?:error|header .Access-Control-Allow-Origin. missing)", r'"OPTIONS /sdapi/\S+ HTTP/[\d.]+" 40[05]'),
        answers=(Answer(method="OPTIONS", path=r"^/sdapi/", statuses=(400, 405)),),
        fixes=(t("Start with --cors-allow-origins= and the page's exact origin, without a slash at the end"),),
        confidence=CERTAIN,
        examples=("Access to fetch at 'http://127.0.0.1:7861/sdapi/v1/txt2img' from origin 'http://localhost:5173' has been blocked by CORS policy", "OPTIONS /sdapi/v1/txt2img -> 400"),
        near_misses=("OPTIONS /sdapi/v1/txt2img -> 200",),
    ),
    Signature(
        id="extension-interferes",
        severity=ERROR,
        group="log",
        page="""An extension, or a module that it loads, breaks the launch or the routes.

        What happens: the usage text of a foreign parser (usage: launch.py [-h] [--source SOURCE]); a traceback that
        goes through extensions/ while the app starts; routes that are missing although the flags are right.
        Why: extensions run inside the program, and some parse the command line themselves.
        Fix: --disable-all-extensions; if it starts then, find the one, update or remove it.
        Source: modules/script_loading.py, script_callbacks.app_started_callback.
        """,
        summary=t("An extension breaks the start."),
        lines=(r"^usage: launch\.py \[-h\] \[--(?!f\]|update-all|gpu-device|loglevel|enable-cors|skip|config\b)\w[\w-]*", r"error executing callback app_started_callback for .*extensions"),
        fixes=(t("Start with --disable-all-extensions; if it works, switch the extensions on one by one"),),
        examples=("usage: launch.py [-h] [--source SOURCE] [--target TARGET]",),
        near_misses=("usage: launch.py [-h] [--update-all-extensions] [--skip-python-version-check]", "usage: launch.py [-h] [--gpu-device-id GPU_DEVICE_ID]"),
    ),
    Signature(
        id="arg-conflict",
        severity=ERROR,
        group="launch",
        summary=t("Two settings do not go together: the queue, and what switches it off or forbids it."),
        lines=(r"Progress tracking requires queuing to be enabled", r"Cannot queue with encryption or authentication enabled"),
        fixes=(t("Drop --no-gradio-queue or --gradio-queue, whichever is given"),),
        confidence=CERTAIN,
        examples=("ValueError: Progress tracking requires queuing to be enabled.",),
        near_misses=("queue is enabled",),
    ),
    Signature(
        id="port-out-of-range",
        severity=ERROR,
        group="port",
        summary=t("The port is no port: ports go from 1 to 65535."),
        lines=(r"OverflowError: bind\(\): port must be 0-65535",),
        fixes=(t("Give a --port from 1024 to 65535"),),
        confidence=CERTAIN,
        examples=("OverflowError: bind(): port must be 0-65535.",),
        near_misses=("OverflowError: cannot convert float infinity to integer",),
    ),
)  # fmt: skip


def checks() -> list[Check]:
    """The entries as checks."""
    return [as_check(one, __name__) for one in SIGNATURES]
