from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Message, NotApplicable, check, plain, t
from forgedoctor.facts import Endpoint, Launch, Probe
from forgedoctor_checks.launch._words import shown

_HALF = {
    "tls-keyfile-without-certfile": t("--tls-keyfile is given without --tls-certfile, so the server cannot start."),
    "tls-certfile-without-keyfile": t("--tls-certfile is given without --tls-keyfile."),
}


@check(
    "tls-cert-unusable", severity=ERROR, group="endpoint", explains=["server-thread-dead", "localhost-via-system-proxy"]
)
def tls_cert_unusable(endpoint: Endpoint | None, launch: Launch | None) -> Iterator[Finding]:
    """A TLS certificate or key is not trusted, expired or missing.

    What happens: clients say CERTIFICATE_VERIFY_FAILED; the start dies with "ssl_certfile must be provided", or tries
    100 ports at five seconds each when the files are not there.
    Why: self-signed certificates are trusted by nobody; gradio checks its own address with the certificate too.
    Fix: a certificate that the clients trust, with the whole chain; both files; or TLS in a proxy.
    Source: modules/initialize_util.py validate_tls_options; recorded starts.
    """
    if endpoint is None and launch is None:
        raise NotApplicable(t("nothing is known of the launch or the server"))
    fails = launch.effective.fails if launch and launch.effective.exit is None else None
    if launch and fails and fails.kind in _HALF:
        missing = "--tls-certfile CERT.pem" if fails.kind.startswith("tls-key") else "--tls-keyfile KEY.pem"
        yield Finding(
            _HALF[fails.kind],
            evidence=[shown(launch)],
            fixes=[fixes.change_flags(launch, add=[missing])],
            confidence=CERTAIN,
        )
    verify = endpoint.probe("verify") if endpoint else None
    if endpoint and verify and verify.outcome == "tls-error" and isinstance(verify.json, dict):
        yield _untrusted(endpoint, verify)


def _untrusted(endpoint: Endpoint, verify: Probe) -> Finding:
    found = {name: str(verify.json.get(name) or "") for name in ("reason", "words", "subject", "until")}
    parts = [found["words"], found["subject"], found["until"] and f"until {found['until']}"]
    return Finding(
        _why(endpoint.host, found["reason"]),
        evidence=[Evidence(plain(", ".join(part for part in parts if part)), endpoint.url)],
        fixes=[
            fixes.advise(t("Use a certificate that the clients trust, issued for this name, with its whole chain")),
            fixes.paste(
                t("Or let a client trust just this one, for instance:"),
                f"curl --cacert CERT.pem {endpoint.url}/sdapi/v1/progress",
            ),
        ],
        severity=WARNING,
        confidence=CERTAIN,
    )


def _why(host: str, reason: str) -> Message:
    if reason == "self-signed":
        return t("Clients do not trust the certificate of {host}: it is self-signed.", host=host)
    if reason == "expired":
        return t("The certificate of {host} has expired.", host=host)
    if reason == "not yet valid":
        return t("The certificate of {host} is not valid yet: look at both clocks.", host=host)
    if reason == "wrong name":
        return t("The certificate is not for {host}, but for another name.", host=host)
    return t("Clients do not trust the certificate of {host}: its issuer is not known here.", host=host)
