"""Causes that lie between the client and the API: gradio's own guards, proxies, certificates."""

from __future__ import annotations

from forgedoctor.check import ERROR, POSSIBLE, t
from forgedoctor.signature import Answer, Signature

# Where Forge fetches models and packages from. Source: modules/launch_utils.py, modules/modelloader.py.
_ELSEWHERE = r"huggingface\.co|github\.com|githubusercontent\.com|pypi\.org|pythonhosted\.org|pytorch\.org|civitai\.com"

PATH_NOT_ALLOWED = Signature(
    id="gradio-path-not-allowed",
    severity=ERROR,
    group="call",
    page="""The server refuses to hand out a file outside its own folders.

    What happens: 403 "File not allowed", "File cannot be fetched", InvalidPathError.
    Why: gradio serves files under the data folder and named ones only; a symbolic link counts by its target.
    Fix: --gradio-allowed-path with the real folder, or keep outputs inside.
    Source: gradio routes /file=; modules/shared_gradio_themes, cmd_args gradio_allowed_path.
    """,
    summary=t("The server may not hand out that file: it lies outside the allowed folders."),
    lines=(
        r"InvalidPathError",
        r"[Ff]ile cannot be fetched",
        r"File not allowed: ",
        r"Cannot move .+ to the gradio cache dir",
    ),
    answers=(
        Answer(path=r"/file=", statuses=(403,)),
        Answer(path=r"/file=", statuses=(500,), body=r"cannot be fetched|not allowed"),
    ),
    fixes=(t("Start with --gradio-allowed-path FOLDER, where FOLDER is the real one behind any link"),),
    explains=("api-flag-missing",),
    examples=("GET /file=/mnt/out/1.png -> 403",),
    near_misses=("GET /file=/mnt/out/1.png -> 404",),
)

LOGIN_BROKEN = Signature(
    id="gradio-auth-broken",
    severity=ERROR,
    group="call",
    page="""The page's login is broken in this gradio version.

    What happens: many 401 "Not authenticated" for /file=... while the login page itself is loading.
    Why: a version of gradio asks for a login for the files that the login page needs.
    Fix: another version of the web UI; until then a login in a proxy.
    Source: gradio issues of 2023.
    """,
    summary=t("The login page needs files that this gradio version hides behind the login."),
    answers=(Answer(path=r"^/file=", statuses=(401,)), Answer(path=r"^/file=", body=r"Not authenticated")),
    fixes=(t("Update the web UI, or use a login in a proxy in place of --gradio-auth"),),
    confidence=POSSIBLE,
    examples=(
        "API error: GET: http://127.0.0.1:7860/file=style.css {'error': 'HTTPException', 'detail': 'Not authenticated'}",
    ),
    near_misses=("GET /sdapi/v1/samplers -> 401",),
)

PROXY_LIMITS = Signature(
    id="proxy-limits",
    severity=ERROR,
    group="call",
    page="""A proxy or tunnel in front cuts the request: too large, or too long.

    What happens: 413 Request Entity Too Large; 504 or 524 after 60 or 100 seconds, while Forge goes on generating.
    Why: Forge itself has neither limit. nginx takes 1 MB and waits 60 s unless told otherwise; Cloudflare waits
    100 s, gradio.live less.
    Fix: client_max_body_size and proxy_read_timeout; through fixed tunnels send shorter jobs and poll progress.
    Source: nginx ngx_http_core_module, ngx_http_proxy_module; RFC 9110 15.5.14, 15.6.5.
    """,
    summary=t("A proxy in front of Forge cut the request: it was too large or took too long."),
    lines=(r"\b413 Request Entity Too Large", r"<Response \[524\]>"),
    answers=(Answer(path=r"^/sdapi/|^/run/|^/queue/", statuses=(413, 504, 524)),),
    unless=(r"gradio\.live",),
    fixes=(
        t(
            "In nginx: client_max_body_size 100m; proxy_read_timeout 600s; "
            "through a fixed tunnel: smaller jobs, and poll /sdapi/v1/progress"
        ),
    ),
    examples=("POST /sdapi/v1/img2img -> 413", "POST /sdapi/v1/txt2img -> 504"),
    near_misses=("POST /sdapi/v1/img2img -> 500", "took 413 ms", "GET / -> 504"),
)

PROXY_WEBSOCKET = Signature(
    id="proxy-websocket",
    severity=ERROR,
    group="call",
    page="""The proxy in front does not pass the queue's event stream or websocket.

    What happens: the page loads and nothing generates; /queue/join answers 404 or 400; "Connection errored out".
    Why: gradio 3 needs the Upgrade headers, gradio 4 an unbuffered event stream.
    Fix: proxy_http_version 1.1, Upgrade and Connection headers, buffering off, the whole prefix forwarded.
    Source: nginx websocket proxying; gradio queue routes.
    """,
    summary=t("The proxy does not pass the page's queue (websocket or event stream)."),
    lines=(r"WebSocket connection to '\S+/queue/join\S*' failed",),
    answers=(Answer(path=r"/queue/(?:join|data)", statuses=(400, 404, 502)),),
    fixes=(
        t(
            "In nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
            'proxy_set_header Connection "upgrade"; proxy_buffering off'
        ),
    ),
    examples=("GET /queue/join -> 404",),
    near_misses=("GET /queue/status -> 200",),
)

OUTBOUND_TLS = Signature(
    id="outbound-tls-untrusted",
    severity=ERROR,
    group="call",
    page="""The server cannot verify certificates when it downloads something.

    What happens: 500 with "unable to get local issuer certificate" inside, or the same at the start.
    Why: Forge itself fetches a model or package, and its Python's certificate bundle is old, or a company proxy or
    antivirus puts its own certificate in between.
    Fix: repair the bundle (certifi, SSL_CERT_FILE), add the root in between, or fetch the file by hand.
    Source: Python ssl; urllib.
    """,
    summary=t("Forge cannot download what it needs: the certificate of the other side is not trusted."),
    lines=(
        r"<urlopen error \[SSL: CERTIFICATE_VERIFY_FAILED\]",
        rf"host='(?:[\w-]+\.)*(?:{_ELSEWHERE})'.*CERTIFICATE_VERIFY_FAILED",
    ),
    answers=(Answer(path=r"^/sdapi/v1/", statuses=(500,), body=r"CERTIFICATE_VERIFY_FAILED"),),
    fixes=(
        t("Update certifi in Forge's venv, or point SSL_CERT_FILE at the bundle with your company's root certificate"),
    ),
    explains=("tls-cert-unusable",),
    examples=(
        "urllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "unable to get local issuer certificate (_ssl.c:997)>",
        "HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded (Caused by SSLError("
        "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed')))",
    ),
    near_misses=(
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
        "HTTPSConnectionPool(host='192.168.1.20', port=7860): (Caused by SSLError('CERTIFICATE_VERIFY_FAILED'))",
    ),
)

SIGNATURES = (PATH_NOT_ALLOWED, LOGIN_BROKEN, PROXY_LIMITS, PROXY_WEBSOCKET, OUTBOUND_TLS)
