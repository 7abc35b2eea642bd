"""What nginx itself answers in Forge's place, and what it writes about that.

Source: answers and lines recorded from nginx 1.22.1.
"""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, INFO, POSSIBLE, WARNING, t
from forgedoctor.signature import Answer, Signature

_NGINX_PAGE = r"<center>(?:nginx|openresty|angie)\b"
_HEAD = "2026/01/31 12:00:00 [error] 7#7: *1 "
_TAIL = ', client: 10.0.0.5, server: _, request: "POST /sdapi/v1/txt2img HTTP/1.1", upstream: "http://{}/", host: "sd.example"'

TOO_LARGE = Signature(
    id="proxy-limits",
    severity=ERROR,
    group="nginx",
    summary=t("nginx refused a request of {size} bytes: more than client_max_body_size; Forge never saw it."),
    lines=(r"client intended to send too large (?:chunked )?body: (?P<size>\d+)",),
    fixes=(t("In nginx: client_max_body_size 100m; in that location, then reload nginx"),),
    confidence=CERTAIN,
    examples=(_HEAD + "client intended to send too large body: 1500000 bytes, client: 10.0.0.5, server: _",),
    near_misses=("body too large",),
)

TOO_LONG = Signature(
    id="proxy-limits",
    severity=ERROR,
    group="nginx",
    summary=t("nginx gave up on Forge, which was still at work: proxy_read_timeout is too short. The job goes on."),
    lines=(r"upstream timed out \(\d+: [^)]*\) while reading (?:response header from )?upstream",),
    fixes=(
        t("In nginx: proxy_read_timeout 600s; in that location, then reload nginx. Do not send the job again at once"),
    ),
    explains=("not-ready-yet",),
    confidence=CERTAIN,
    examples=(
        _HEAD
        + "upstream timed out (110: Connection timed out) while reading response header from upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
    near_misses=(
        _HEAD
        + "upstream timed out (110: Connection timed out) while connecting to upstream"
        + _TAIL.format("127.0.0.1:7860"),
    ),
)

PAGE_504 = Signature(
    id="proxy-limits",
    severity=ERROR,
    group="nginx",
    summary=t("nginx answered 504, not Forge: Forge gave no answer within nginx's time."),
    lines=(r"<h1>504 Gateway Time-out</h1>",),
    also=(_NGINX_PAGE,),
    fixes=(
        t(
            "nginx's error log says which: reading (raise proxy_read_timeout) or connecting (a firewall, a wrong address)"
        ),
    ),
    explains=("share-service-unreachable",),
    confidence=POSSIBLE,
    examples=("<center><h1>504 Gateway Time-out</h1></center>\n<hr><center>nginx/1.22.1</center>",),
    near_misses=("<center><h1>504 Gateway Time-out</h1></center>\n<hr><center>cloudflare</center>",),
)

PAGE_502 = Signature(
    id="not-ready-yet",
    severity=ERROR,
    group="nginx",
    summary=t("nginx answered 502, not Forge: it found no Forge behind it, or one that broke off."),
    lines=(r"<h1>502 Bad Gateway</h1>",),
    also=(_NGINX_PAGE,),
    fixes=(t("Start Forge, or wait until its log says that it is ready; nginx's error log says what was amiss"),),
    examples=("<center><h1>502 Bad Gateway</h1></center>\n<hr><center>nginx</center>",),
    near_misses=("<center><h1>404 Not Found</h1></center>\n<hr><center>nginx</center>",),
)

LIMITED = Signature(
    id="nginx-request-limit",
    severity=ERROR,
    group="nginx",
    summary=t("nginx refused requests because a client asked too often (limit_req or limit_conn)."),
    lines=(r'limiting connections by zone "', r"limiting requests, excess: "),
    fixes=(
        t(
            "Raise the rate, the burst or the number of connections of that zone, or lift the limit for Forge's location"
        ),
    ),
    explains=("not-ready-yet",),
    confidence=CERTAIN,
    examples=(
        _HEAD + 'limiting connections by zone "c", client: 10.0.0.5',
        _HEAD + 'limiting requests, excess: 5.1 by zone "one"',
    ),
    near_misses=('delaying request, excess: 0.2, by zone "one"',),
)

GAVE_UP = Signature(
    id="client-gave-up",
    severity=WARNING,
    group="nginx",
    page="""The client went away before Forge had answered.

    What happens: 499 in nginx's access log, a time-out in the client. Forge finishes the job all the same.
    Why: the client's own time-out is shorter than the job, or a person closed the page.
    Fix: a longer time-out in the client (ten minutes for a first image), and no second try while the first one runs:
    GET /sdapi/v1/progress tells.
    Source: recorded from nginx 1.22.1; nginx's own status code 499.
    """,
    summary=t("The client gave up before Forge answered (499); Forge finishes the job all the same."),
    answers=(Answer(path=r"/sdapi/|/run/|/api/", statuses=(499,)),),
    fixes=(t("Raise the client's own time-out, and poll /sdapi/v1/progress instead of sending the job again"),),
    confidence=CERTAIN,
    examples=('10.0.0.5 - - [31/Jan/2026:12:00:00 +0000] "POST /sdapi/v1/txt2img HTTP/1.1" 499 0 "-" "curl/8.5.0"',),
    near_misses=(
        '10.0.0.5 - - [31/Jan/2026:12:00:00 +0000] "POST /sdapi/v1/txt2img HTTP/1.1" 200 499 "-" "curl/8.5.0"',
    ),
)

LEFT = Signature(
    id="client-gave-up",
    severity=INFO,
    group="nginx",
    summary=t("A client left before it was answered (499): a page that was closed, or a short time-out."),
    answers=(Answer(path=r"^(?!.*(?:/sdapi/|/run/|/api/))", statuses=(499,)),),
    fixes=(t("Raise the client's own time-out, if nobody closed the page"),),
    confidence=POSSIBLE,
    examples=('10.0.0.5 - - [31/Jan/2026:12:00:00 +0000] "GET /queue/data HTTP/1.1" 499 0 "-" "curl/8.5.0"',),
    near_misses=('10.0.0.5 - - [31/Jan/2026:12:00:00 +0000] "GET /queue/data HTTP/1.1" 200 0 "-" "curl/8.5.0"',),
)

SIGNATURES = (TOO_LARGE, TOO_LONG, PAGE_504, PAGE_502, LIMITED, GAVE_UP, LEFT)
