"""What the start of the web layer prints when it breaks off."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, t
from forgedoctor.signature import Signature

_NO_LOCALHOST = r"When localhost is not accessible, a shareable link must be created"
_STACK_BROKEN = (
    r"argument of type 'bool' is not iterable",
    r"cannot import name '\w+' from '(?:pydantic|gradio_client|gradio|fastapi|starlette)",
    r"'FieldInfo' object has no attribute",
    r"PydanticUserError|PydanticSchemaGenerationError|PydanticImportError",
    r"AttributeError: __pydantic_core_schema__|AttributeError: __config__|_model_construction\.py.* in __?getattr",
    r"ModuleNotFoundError: No module named '(?:gradio|fastapi|starlette|pydantic|uvicorn|gradio_client)[.']",
)
_ELSEWHERE = r"huggingface\.co|github\.com|pypi\.org"
_NO_PROXY = t(
    "Set NO_PROXY=localhost,127.0.0.1 where Forge and its clients are started, or switch the proxy off for them; "
    "--share only hides it"
)
_CAUGHT = t("A proxy or VPN catches Forge's request to its own address.")

VIA_PROXY = Signature(
    id="localhost-via-system-proxy",
    severity=ERROR,
    group="proxy",
    summary=_CAUGHT,
    lines=(
        _NO_LOCALHOST,
        r"ProxyError|proxies=proxies|_http_proxy\.py|AsyncForwardHTTPConnection|socks\.py",
        r"Expecting value: line 1 column 1 \(char 0\)",
        r"httpx\.(?:ConnectError|ReadTimeout|RemoteProtocolError).*startup-events",
    ),
    # json.load reads a file: a broken config.json says the same as an answer that is no JSON
    unless=(*_STACK_BROKEN, r"CERTIFICATE_VERIFY_FAILED", _ELSEWHERE, r"json\.load\(", r"Could not load settings"),
    fixes=(_NO_PROXY,),
    examples=(
        "ValueError: When localhost is not accessible, a shareable link must be created. Please set share=True",
        "Expecting value: line 1 column 1 (char 0)",
    ),
    near_misses=(
        "TypeError: argument of type 'bool' is not iterable\n"
        "ValueError: When localhost is not accessible, a shareable link must be created.",
        "        settings = json.load(file)\njson.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ),
)

# The traceback itself shows that gradio's look at its own address went through a proxy.
SELF_CALL_VIA_PROXY = Signature(
    id="localhost-via-system-proxy",
    severity=ERROR,
    group="proxy",
    summary=_CAUGHT,
    lines=(r"httpcore[/\\]_a?sync[/\\](?:http|socks)_proxy\.py",),
    also=(r"gradio[/\\]blocks\.py\", line \d+, in launch", r"Exception in thread .*\(webui_worker\)"),
    fixes=(_NO_PROXY,),
    explains=("server-half-dead", "server-thread-dead"),
    confidence=CERTAIN,
    examples=(
        "Exception in thread Thread-2 (webui_worker):\n"
        '  File "/venv/lib/python3.11/site-packages/gradio/blocks.py", line 2390, in launch\n'
        '  File "/venv/lib/python3.11/site-packages/httpcore/_sync/http_proxy.py", line 181, in handle_request\n'
        "httpx.ConnectError: [Errno 111] Connection refused",
    ),
    near_misses=(
        '  File "/venv/lib/python3.11/site-packages/httpcore/_sync/http_proxy.py", line 181, in handle_request\n'
        "httpx.ConnectError: [Errno 111] Connection refused",
    ),
)

PROXY_MALFORMED = Signature(
    id="proxy-env-malformed",
    severity=ERROR,
    group="proxy",
    summary=t("A proxy variable has a value that cannot be read."),
    lines=(
        r"Unknown scheme for proxy URL",
        r"httpx\.InvalidURL: Invalid port: '(?![0-9a-fA-F:]*:\d+')",
        r"invalid literal for int\(\) with base 10: ':?:?1\]?'",
    ),
    fixes=(t("Take a bare ::1 out of NO_PROXY, and write proxies as http://HOST:PORT"),),
    confidence=CERTAIN,
    examples=(
        "ValueError: Unknown scheme for proxy URL URL('socks://127.0.0.1:1080/')",
        "httpx.InvalidURL: Invalid port: ':1]'",
    ),
    near_misses=(
        "ValueError: invalid literal for int() with base 10: 'abc'",
        "httpx.InvalidURL: Invalid port: '::7860'",
    ),
)

STACK = Signature(
    id="web-stack-version-mismatch",
    severity=ERROR,
    group="install",
    summary=t("gradio, pydantic, fastapi or their kin do not fit one another."),
    lines=_STACK_BROKEN,
    fixes=(
        t(
            "Install the versions that this fork pins (requirements_versions.txt) in its own venv; "
            "for the 'bool' error pydantic==2.10.6"
        ),
    ),
    explains=("localhost-via-system-proxy", "server-half-dead"),
    confidence=CERTAIN,
    examples=(
        "TypeError: argument of type 'bool' is not iterable",
        "AttributeError: 'FieldInfo' object has no attribute 'type_'",
    ),
    near_misses=("TypeError: argument of type 'NoneType' is not iterable",),
)

CERTIFICATE = Signature(
    id="tls-cert-unusable",
    severity=ERROR,
    group="endpoint",
    summary=t("The TLS certificate or key is missing, expired or not trusted."),
    lines=(
        r"certificate verify failed: (?:self[- ]signed|certificate has expired|Hostname mismatch|unable to get issuer)",
        r"(?i)verif\w+ failed\W+self[- ]signed certif",
        r"Invalid path to TLS (?:keyfile|certfile)",
        r"ssl_certfile must be provided",
        r"load_cert_chain\(",
    ),
    unless=(r"<urlopen error \[SSL", rf"host='[^']*(?:{_ELSEWHERE})"),
    fixes=(
        t(
            "Give the right paths to --tls-keyfile and --tls-certfile, with a certificate that is trusted "
            "and holds for the name; or do TLS in a proxy"
        ),
    ),
    explains=("localhost-via-system-proxy",),
    examples=(
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "self-signed certificate (_ssl.c:1006)",
        "Invalid path to TLS keyfile given",
    ),
    near_misses=(
        "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate>",
        "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate in certificate chain>",
    ),
)

LOGIN_FILE = Signature(
    id="auth-credentials",
    severity=ERROR,
    group="security",
    summary=t("The file that --gradio-auth-path names is not there, so the server never starts."),
    lines=(r"with open\(cmd_opts\.gradio_auth_path",),
    also=(r"^FileNotFoundError",),
    fixes=(t("Give the full path of a file with USER:PASSWORD lines to --gradio-auth-path, or leave the flag out"),),
    explains=("server-thread-dead", "endpoint-unreachable"),
    confidence=CERTAIN,
    examples=(
        "    with open(cmd_opts.gradio_auth_path, 'r', encoding=\"utf8\") as file:\n"
        "FileNotFoundError: [Errno 2] No such file or directory: '/home/user/missing-auth.txt'",
    ),
    near_misses=("FileNotFoundError: [Errno 2] No such file or directory: '/home/user/config.json'",),
)

QUEUE = Signature(
    id="arg-conflict",
    severity=ERROR,
    group="launch",
    summary=t("Two settings do not go together: the queue, and what switches it off or forbids it."),
    lines=(
        r"Progress tracking requires queuing to be enabled",
        r"Cannot queue with encryption or authentication enabled",
    ),
    fixes=(t("Drop --no-gradio-queue or --gradio-queue, whichever is given"),),
    confidence=CERTAIN,
    examples=("ValueError: Progress tracking requires queuing to be enabled.",),
    near_misses=("queue is enabled",),
)

SOCKS = Signature(
    id="socks-support-missing",
    severity=ERROR,
    group="proxy",
    summary=t("A SOCKS proxy is set, and Forge's Python cannot speak SOCKS."),
    lines=(r"Using SOCKS proxy, but the 'socksio' package is not installed", r"Missing dependencies for SOCKS support"),
    fixes=(t("Unset ALL_PROXY where Forge is started, or install socksio into Forge's venv"),),
    explains=("localhost-via-system-proxy",),
    confidence=CERTAIN,
    examples=("ImportError: Using SOCKS proxy, but the 'socksio' package is not installed.",),
    near_misses=("socks5 proxy at 127.0.0.1:1080",),
)

SCHEME = Signature(
    id="tls-mismatch",
    severity=ERROR,
    group="endpoint",
    summary=t("https was used where plain http is spoken."),
    lines=(r"\bWRONG_VERSION_NUMBER\b", r"ERR_SSL_PROTOCOL_ERROR"),
    fixes=(
        t("Write http:// in place of https:// in the client, or start Forge with --tls-keyfile and --tls-certfile"),
    ),
    explains=("tls-cert-unusable",),
    examples=("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",),
    near_misses=("ssl.SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",),
)

BAD_VALUE = Signature(
    id="arg-misspelt",
    severity=ERROR,
    group="launch",
    summary=t("A launch flag has a wrong value: {flag}, {why}."),
    lines=(r"\blaunch\.py: error: argument (?P<flag>--?[\w-]+): (?P<why>(?:invalid|expected|ignored).{1,120}?)\.?$",),
    fixes=(t("Correct the value of {flag}: {why}"),),
    explains=("endpoint-unreachable",),
    confidence=CERTAIN,
    examples=("launch.py: error: argument --port: invalid int value: 'abc'",),
    near_misses=("launch.py: error: argument --api: not allowed with argument --x",),
)

SIGNATURES = (
    SOCKS,
    SCHEME,
    BAD_VALUE,
    VIA_PROXY,
    SELF_CALL_VIA_PROXY,
    PROXY_MALFORMED,
    STACK,
    CERTIFICATE,
    LOGIN_FILE,
    QUEUE,
)
