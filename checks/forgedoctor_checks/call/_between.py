"""Causes that lie between the client and the API: gradio's own guards, proxies, certificates."""

from __future__ import annotations

from forgedoctor.check import ERROR, POSSIBLE, t
from forgedoctor.signature import Answer, Signature
from forgedoctor_checks.call import _nginx_answer, _nginx_connect, _nginx_start

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

WRONG_PUBLIC_URL = Signature(
    id="proxy-wrong-public-url",
    severity=ERROR,
    group="call",
    summary=t("The page sends the browser to an address that is right inside the server only."),
    lines=(
        r"\bhttps://(?:localhost|127\.0\.0\.1):\d+/(?:theme\.css|heartbeat/|assets/|queue/)",
        r"Mixed Content: The page at 'https://[^']+' was loaded over HTTPS, but requested an insecure [^']*'http://",
    ),
    unless=(r"--tls-(?:keyfile|certfile)",),
    fixes=(
        t(
            "In nginx: proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; for a prefix: --subpath"
        ),
    ),
    examples=(
        "GET https://localhost:7860/theme.css net::ERR_CONNECTION_REFUSED",
        "Mixed Content: The page at 'https://sd.example/' was loaded over HTTPS, but requested an insecure stylesheet "
        "'http://sd.example/theme.css'.",
    ),
    near_misses=("GET http://localhost:7860/theme.css net::ERR_CONNECTION_REFUSED",),
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

NGINX = (*_nginx_connect.SIGNATURES, *_nginx_answer.SIGNATURES, *_nginx_start.SIGNATURES)
SIGNATURES = (PATH_NOT_ALLOWED, LOGIN_BROKEN, PROXY_LIMITS, PROXY_WEBSOCKET, WRONG_PUBLIC_URL, OUTBOUND_TLS, *NGINX)
