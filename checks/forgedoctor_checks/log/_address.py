"""What the start prints when Forge does not get its address or port."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, POSSIBLE, t
from forgedoctor.signature import Signature

_DENIED = r"(?:WinError 10013|\[Errno 13\])"
_NO_ADDRESS = r"\[Errno (?:99|-2|10049|11001)\]"
_NOT_HELD = (_DENIED, _NO_ADDRESS, r"getaddrinfo failed", r"WinError 10049")
_FIND = t("Find and end the program that holds it (Windows: netstat -ano; Linux: ss -ltnp), or choose another --port")

# Ports that only an administrator may open: 1 to 1023.
_LOW = r"(?P<port>[1-9]\d{0,2}|10[01]\d|102[0-3])"

LOW_PORT = Signature(
    id="port-privileged",
    severity=ERROR,
    group="port",
    summary=t("Forge may not open port {port}: ports below 1024 need administrator rights."),
    lines=(rf"Cannot find empty port in range: {_LOW}-(?P=port)\b", rf"\[Errno 13\] .*bind.*\('[^']*', {_LOW}\)"),
    unless=(r"\[Errno (?:98|48)\]", r"WinError"),
    fixes=(
        t("Give a --port from 1024 up, such as --port 7860; where port {port} must be, put a reverse proxy in front"),
    ),
    explains=("endpoint-unreachable", "port-in-use"),
    examples=(
        "OSError: Cannot find empty port in range: 80-80. You can specify a different port",
        "ERROR:    [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied",
    ),
    near_misses=(
        "OSError: Cannot find empty port in range: 7860-7860.",
        "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 80): address already in use",
    ),
)

IN_USE = Signature(
    id="port-in-use",
    severity=ERROR,
    group="port",
    summary=t("The port is held by another program."),
    lines=(r"\[Errno (?:98|48|10048)\] .*(?:bind|address)", r"WinError 10048", r"[Aa]ddress already in use"),
    unless=_NOT_HELD,
    fixes=(_FIND,),
    explains=("endpoint-unreachable", "port-walked"),
    examples=(
        "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 7861): address already in use",
        "OSError: [WinError 10048] Only one usage of each socket address is normally permitted",
    ),
    near_misses=(
        "ERROR:    [Errno 99] error while attempting to bind on address ('10.1.2.3', 7860): cannot assign requested address",
        "OSError: Port 7860 is in use.\nPermissionError: [WinError 10013] x",
    ),
)

# gradio swallows every error of its own test and always says that the port is taken.
NOT_HAD = Signature(
    id="port-in-use",
    severity=ERROR,
    group="port",
    summary=t("Forge does not get its port: most likely another program holds it."),
    lines=(
        r"OSError: Port \d+ is in use",
        r"OSError: Cannot find empty port in range: \d+-\d+",
        r"OSError: All ports from \d+ to \d+ are in use",
    ),
    unless=(*_NOT_HELD, r"\[Errno (?:98|48|10048)\]", r"WinError 10048"),
    fixes=(_FIND,),
    explains=("endpoint-unreachable", "port-walked"),
    confidence=POSSIBLE,
    examples=("OSError: Cannot find empty port in range: 7860-7860.", "OSError: Port 7860 is in use."),
    near_misses=(
        "OSError: Port 7860 is in use.\nPermissionError: [WinError 10013] x",
        "ERROR:    [Errno 99] error while attempting to bind on address ('10.1.2.3', 7860): cannot assign requested "
        "address\nOSError: Cannot find empty port in range: 7860-7860.",
    ),
)

RESERVED = Signature(
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
)

NO_ADDRESS = Signature(
    id="bind-address-invalid",
    severity=ERROR,
    group="port",
    summary=t("--server-name is no address of this machine."),
    lines=(
        r"\[Errno (?:99|49|10049)\] .*bind",
        r"WinError 10049",
        r"ERROR: +\[Errno -[235]\]",
        r"ERROR: +\[Errno 11001\]",
    ),
    fixes=(t("Use --listen, or one of this machine's own addresses after --server-name"),),
    explains=("port-in-use", "endpoint-unreachable"),
    confidence=CERTAIN,
    examples=(
        "ERROR:    [Errno 99] error while attempting to bind on address ('10.1.2.3', 7860): cannot assign requested address",
        "ERROR:    [Errno -2] Name or service not known",
    ),
    near_misses=("urllib3.exceptions.NameResolutionError: [Errno -2] Name or service not known",),
)

# gradio writes the address into a URL without brackets and then asks that URL.
WITHOUT_BRACKETS = Signature(
    id="bind-address-invalid",
    severity=ERROR,
    group="port",
    summary=t("--server-name is an IPv6 address, and the web UI cannot ask itself there: its start breaks off."),
    lines=(
        r"httpx\.InvalidURL: Invalid port: '[0-9a-fA-F:]*:\d+'",
        r"Running on local URL:\s+http://[0-9a-fA-F]*::\S*\d$",
    ),
    also=(r"httpx\.InvalidURL|Exception in thread .*\(webui_worker\)",),
    fixes=(t("Write an IPv6 address in brackets, as in --server-name [::], or use --listen"),),
    explains=("proxy-env-malformed", "server-cannot-start", "endpoint-unreachable"),
    confidence=CERTAIN,
    examples=("Running on local URL:  http://:::7860\nhttpx.InvalidURL: Invalid port: '::7860'",),
    near_misses=("httpx.InvalidURL: Invalid port: ':1]'", "Running on local URL:  http://127.0.0.1:7860"),
)

OUT_OF_RANGE = Signature(
    id="port-out-of-range",
    severity=ERROR,
    group="port",
    summary=t("The port is no port: ports go from 1 to 65535."),
    lines=(r"OverflowError: bind\(\): port must be 0-65535",),
    fixes=(t("Give a --port from 1024 to 65535"),),
    confidence=CERTAIN,
    examples=("OverflowError: bind(): port must be 0-65535.",),
    near_misses=("OverflowError: cannot convert float infinity to integer",),
)

SIGNATURES = (LOW_PORT, IN_USE, NOT_HAD, RESERVED, NO_ADDRESS, WITHOUT_BRACKETS, OUT_OF_RANGE)
