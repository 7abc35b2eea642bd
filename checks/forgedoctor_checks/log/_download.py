"""What is printed when something cannot be fetched."""

from __future__ import annotations

from forgedoctor.check import ERROR, LIKELY, t
from forgedoctor.signature import Signature

_GONE = r"Repository not found|Stability-AI/stablediffusion(?:\.git)?/?'? not found"

GONE = Signature(
    id="upstream-repo-gone",
    severity=ERROR,
    group="install",
    page="""A repository that the installer clones was deleted by its owner.

    What happens: "Cloning Stable Diffusion into …", then "Repository not found", or git asks for a login.
    Why: Stability-AI/stablediffusion was taken off GitHub in December 2025; GitHub answers as if it were private.
    Fix: a version of the program that uses another source, or a mirror in STABLE_DIFFUSION_REPO.
    Source: modules/launch_utils.py of AUTOMATIC1111; the maintainers' announcement.
    """,
    summary=t("A repository that the installer needs is no longer on GitHub."),
    lines=(
        r"Repository not found",
        r"repository 'https://github\.com/\S+' not found",
        r"(?:could not read Username|Authentication failed) for 'https://github\.com",
        r"please complete authentication in your browser",
        r"Couldn't clone Stable Diffusion\.",
    ),
    unless=(r"RPC failed", r"early EOF", r"unable to access 'https?:", r"Could not resolve host", r"Huggingface|huggingface\.co"),
    fixes=(
        t(
            "Update the web UI (AUTOMATIC1111: branch dev), or set STABLE_DIFFUSION_REPO in webui-user to a mirror of "
            "stablediffusion before the start"
        ),
    ),
    explains=("install-download-network",),
    confidence=LIKELY,
    examples=(
        "Cloning Stable Diffusion into /sd/repositories/stable-diffusion-stability-ai...\nremote: Repository not found.",
    ),
    near_misses=(
        "RuntimeError: Couldn't clone Stable Diffusion.\nerror: RPC failed; curl 92 HTTP/2 stream was not closed cleanly",
        "fatal: not a git repository",
    ),
)  # fmt: skip

NETWORK = Signature(
    id="install-download-network",
    severity=ERROR,
    group="install",
    page="""git or pip cannot download what the program needs.

    What happens: "RPC failed; curl", "early EOF", "Failed to connect to 127.0.0.1 port 7890", SSLError while pip retries,
    "THESE PACKAGES DO NOT MATCH THE HASHES".
    Why: a connection that breaks off, a proxy or VPN that is set and not running, a mirror that refuses, a cut download.
    Fix: repair or remove the proxy of git and pip, then start again.
    Source: git and pip's own messages.
    """,
    summary=t("A download of git or pip failed: connection, proxy or mirror."),
    lines=(
        r"error: RPC failed",
        r"fatal: early EOF",
        r"fetch-pack: unexpected disconnect",
        r"fatal: unable to access 'https?://",
        r"WARNING: Retrying \(Retry\(total=",
        r"THESE PACKAGES DO NOT MATCH THE",
        r"pip\._vendor\.urllib3\.exceptions\.\w*(?:Timeout|Protocol|IncompleteRead|SSL|Proxy|Connection)\w*Error",
        r"Could not (?:install packages|fetch URL).*(?:Connection|SSL|Timeout|Proxy|HTTPSConnectionPool)",
        r"ReadTimeoutError: HTTPSConnectionPool\(host='(?:files\.pythonhosted|download\.pytorch|pypi)",
        r"Failed to connect to (?:github\.com|raw\.githubusercontent\.com|pypi\.org|download\.pytorch\.org) port",
        r"Could not resolve host: (?:github\.com|pypi\.org|download\.pytorch\.org)",
        r"IncompleteRead\(",
        r"OpenSSL SSL_(?:read|connect)",
        r"gnutls_handshake\(\) failed",
        r"Couldn't clone \S",
    ),
    unless=(_GONE, r"dubious ownership", r"Errno 28"),
    fixes=(
        t(
            "Try again on a stable connection. A proxy that is gone: git config --global --unset http.proxy and "
            "https.proxy, empty HTTP_PROXY and HTTPS_PROXY. A mirror that refuses: take insteadOf out of the git settings. "
            "A cut download: pip cache purge"
        ),
    ),
    explains=("python-version-unsupported", "setuptools-too-new-clip-build", "dependency-missing"),
    confidence=LIKELY,
    examples=(
        "fatal: unable to access 'https://github.com/salesforce/BLIP.git/': Failed to connect to 127.0.0.1 port 10809",
        "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'ReadTimeoutError': /simple/torch/",
    ),
    near_misses=(
        "curl: (7) Failed to connect to 127.0.0.1 port 7860: Connection refused",
        "remote: Repository not found.\nRuntimeError: Couldn't clone Stable Diffusion.",
    ),
)  # fmt: skip

HUGGING_FACE = Signature(
    id="hf-download-failed",
    severity=ERROR,
    group="install",
    page="""A file cannot be fetched from Hugging Face.

    What happens: "Can't load tokenizer for 'openai/clip-vit-large-patch14'", "Max retries exceeded … huggingface.co".
    Why: the site is not reachable from here (a firewall, a country, a container without proxy), or the cache is empty
    while the program is offline.
    Fix: HF_ENDPOINT with a mirror, or a proxy; or the files placed into the cache by hand.
    Source: huggingface_hub; transformers.
    """,
    summary=t("A file that the program needs cannot be fetched from Hugging Face."),
    lines=(
        r"Can't load (?:tokenizer|config|the configuration|feature extractor|image processor|the model) (?:for|of) '",
        r"host='(?:[\w-]+\.)*(?:huggingface\.co|hf\.co|hf-mirror\.com)'.*(?:Max retries|timed? ?out|Connection|Error)",
        r"[Cc]ouldn't connect to 'https://(?:huggingface\.co|hf-mirror\.com)",
        r"LocalEntryNotFoundError",
        r"Cannot connect to host huggingface\.co",
        r"OfflineModeIsEnabled",
        r"is not a local folder and is not a valid model identifier",
        r"Failed to resolve 'huggingface\.co'",
    ),
    unless=(r"CERTIFICATE_VERIFY_FAILED",),
    fixes=(
        t(
            "Set HTTPS_PROXY for the program, or HF_ENDPOINT to a mirror that you trust, and start again; or download the "
            "files elsewhere and put them into the Hugging Face cache (HF_HOME)"
        ),
    ),
    explains=("dependency-version-conflict",),
    confidence=LIKELY,
    examples=("OSError: Can't load tokenizer for 'openai/clip-vit-large-patch14'. If you were trying to load it from",),
    near_misses=(
        "(host='huggingface.co', port=443): Max retries exceeded (Caused by SSLError('CERTIFICATE_VERIFY_FAILED'))",
        "Downloading config.json from https://huggingface.co",
    ),
)


SIGNATURES = (
    GONE,
    NETWORK,
    HUGGING_FACE,
)
