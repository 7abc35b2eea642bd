"""What symptoms mean: the causes that were measured stand among those that are read, and nothing is claimed too much."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from forgedoctor.reach.causes import CAUSES
from forgedoctor.reach.meaning import PATIENCE, ids, read
from forgedoctor.reach.symptom import Symptom, kind_of

# Measured between two Linux hosts on one network (kernel 6.18): what stood in the way, the address family, the error
# that connect() gave (empty: none within the time), and after how many seconds.
MEASURED = [
    ("firewall-rejects", 4, "ECONNREFUSED", 0.0),  # reject with tcp reset
    ("firewall-rejects", 4, "ECONNREFUSED", 0.0),  # reject with icmp port-unreachable, the default of a bare reject
    ("firewall-forbids", 4, "EHOSTUNREACH", 0.0),  # host-unreachable, admin-prohibited, host-prohibited
    ("firewall-answers", 4, "ENETUNREACH", 0.0),  # net-unreachable
    ("firewall-answers", 4, "ENETUNREACH", 1.004),  # net-prohibited, after one retry
    ("firewall-answers", 4, "ENOPROTOOPT", 0.0),  # prot-unreachable
    ("firewall-rejects", 6, "ECONNREFUSED", 0.0),
    ("firewall-rejects", 6, "ECONNREFUSED", 1.028),  # icmpv6 port-unreachable, after one retry
    ("firewall-answers", 6, "EHOSTUNREACH", 1.01),  # addr-unreachable
    ("firewall-answers", 6, "ENETUNREACH", 1.015),  # no-route
    ("firewall-forbids", 6, "EACCES", 1.003),  # admin-prohibited, policy-fail, reject-route
    ("nothing-listens", 4, "ECONNREFUSED", 0.0),
    ("nothing-listens", 6, "ECONNREFUSED", 0.0),
    ("no-neighbour", 4, "EHOSTUNREACH", 3.07),  # no host has that address
    ("no-neighbour", 6, "EHOSTUNREACH", 3.067),
    ("no-neighbour", 4, "EHOSTUNREACH", 3.059),  # the server's link is down
    ("client-isolation", 4, "EHOSTUNREACH", 3.06),
    ("no-route", 4, "ENETUNREACH", 0.0),
    ("no-ipv6", 6, "ENETUNREACH", 0.0),
    ("local-rule", 4, "EACCES", 0.0),  # route type prohibit
    ("local-rule", 4, "EHOSTUNREACH", 0.0),  # route type unreachable, or a reject in the client's own output
    ("blackhole", 4, "EINVAL", 0.0),
    ("local-drop", 4, "", 4.0),
    ("firewall-drops", 4, "", 4.0),
    ("queue-full", 4, "", 4.0),
]  # fmt: skip


def seen(kind: Any, place: str = "lan", **more: Any) -> Symptom:
    return Symptom(**{"kind": kind, "place": place, "family": "ipv4", "client": "linux", **more})


def meant(symptom: Symptom) -> tuple[str, ...]:
    return ids(read(symptom, "192.168.1.20:7860", 7860).causes)


@pytest.mark.parametrize(("cause", "family", "error", "seconds"), MEASURED)
def test_a_measured_cause_is_among_those_that_are_read(cause: str, family: int, error: str, seconds: float) -> None:
    outcome = "timeout" if not error else "refused" if error == "ECONNREFUSED" else "unreachable"
    kind, name = kind_of(outcome, "connect", f"{error}: words of the system" if error else "")
    symptom = seen(kind, family=f"ipv{family}", error=name, elapsed=seconds)
    assert cause in meant(symptom)


@pytest.mark.parametrize(("family", "error", "seconds", "first"), [
    (4, "EHOSTUNREACH", 0.0, "firewall-forbids"),
    (4, "EHOSTUNREACH", 3.07, "no-neighbour"),
    (6, "EHOSTUNREACH", 3.07, "no-neighbour"),
    (6, "EACCES", 1.0, "firewall-forbids"),  # what firewalld gives IPv6 clients
    (4, "EACCES", 0.0, "local-rule"),  # the same word for IPv4 is never a firewall's answer
    (6, "ENETUNREACH", 0.0, "no-ipv6"),
    (6, "ENETUNREACH", 1.0, "firewall-answers"),
    (4, "ENETUNREACH", 0.0, "no-route"),
])  # fmt: skip
def test_time_and_family_tell_apart_what_the_error_does_not(
    family: int, error: str, seconds: float, first: str
) -> None:
    kind, name = kind_of("unreachable", "connect", f"{error}: words")
    assert meant(seen(kind, family=f"ipv{family}", error=name, elapsed=seconds))[0] == first


@pytest.mark.parametrize(("detail", "outcome", "client", "first"), [
    ("WinError 10061: actively refused", "refused", "windows", "nothing-listens"),
    ("WinError 10013: forbidden by its access permissions", "unreachable", "windows", "security-product"),
    ("WinError 10051: unreachable network", "unreachable", "windows", "no-route"),
    ("WinError 10065: unreachable host", "unreachable", "windows", "no-neighbour"),
    ("WinError 10049: not valid in its context", "unreachable", "windows", "no-route"),
    ("EHOSTDOWN: Host is down", "unreachable", "macos", "no-neighbour"),
    ("EHOSTUNREACH: No route to host", "unreachable", "macos", "macos-local-network"),
])  # fmt: skip
def test_the_words_of_windows_and_macos(detail: str, outcome: str, client: str, first: str) -> None:
    kind, error = kind_of(outcome, "connect", detail)
    assert meant(seen(kind, client=client, error=error))[0] == first


KINDS = ("refused", "timeout", "host-unreachable", "net-unreachable", "prohibited", "protocol-unreachable", "invalid",
         "no-address", "reset", "closed", "silent", "tls-wanted", "tls-not-wanted", "not-http", "other-program",
         "gateway", "unresolvable", "error")  # fmt: skip
PLACES = ("", "unspecified", "loopback", "own", "link-local", "lan", "private", "shared", "public")


@pytest.mark.parametrize(("kind", "place"), list(product(KINDS, PLACES)))
def test_every_symptom_has_a_summary_and_causes_without_repetition(kind: str, place: str) -> None:
    for family, client, inside, elapsed in product(
        ("ipv4", "ipv6"), ("linux", "macos", "windows", ""), ("", "container", "wsl"), (0.0, 1.0, 3.07, 4.0)
    ):
        symptom = seen(kind, place, family=family, client=client, inside=inside, elapsed=elapsed)
        reading = read(symptom, "host:7860", 7860)
        found = ids(reading.causes)
        assert "host:7860" in str(reading.summary)
        assert found and len(set(found)) == len(found)
        assert all(str(one.meaning) and one.settle for one in reading.causes)


@pytest.mark.parametrize("place", PLACES)
def test_a_refusal_never_excludes_a_firewall_and_a_time_out_never_proves_one(place: str) -> None:
    refused, late = seen("refused", place), seen("timeout", place, elapsed=4.0)
    if place != "unspecified":
        assert "firewall-rejects" in meant(refused)
        assert meant(late) != ("firewall-drops",) and "queue-full" in meant(late)
    assert any("rule out a firewall" in str(one) for one in read(refused, "h:1", 1).caveats)
    assert any("proves no firewall" in str(one) for one in read(late, "h:1", 1).caveats)


@pytest.mark.parametrize("kind", [*KINDS, "open"])
def test_an_own_address_is_never_proof(kind: str) -> None:
    said = " ".join(map(str, read(seen(kind, "own"), "h:1", 1).caveats))
    assert "proves nothing about other machines" in said
    assert not any("proves nothing" in str(one) for one in read(seen(kind, "lan"), "h:1", 1).caveats)


def test_a_short_wait_is_said_to_be_too_short() -> None:
    def said(elapsed: float, place: str = "lan") -> bool:
        return any("were waited" in str(one) for one in read(seen("timeout", place, elapsed=elapsed), "h:1", 1).caveats)

    assert said(2.0) and not said(PATIENCE) and not said(0.5, "loopback")
    assert "machine-away" in meant(seen("timeout", elapsed=2.0))
    assert "machine-away" not in meant(seen("timeout", elapsed=4.0))  # it would have shown itself by then
    assert "machine-away" in meant(seen("timeout", elapsed=4.0, client="windows"))  # there it never does


def test_a_client_in_a_box_asks_the_box() -> None:
    assert meant(seen("refused", "loopback", inside="container"))[0] == "own-container"
    assert meant(seen("refused", "loopback", inside="wsl"))[0] == "own-wsl"
    assert "own-container" not in meant(seen("refused", "lan", inside="container"))


def test_beyond_a_router_other_things_are_in_the_way() -> None:
    assert meant(seen("timeout", "public", elapsed=4.0))[:2] == ("cloud-rules", "no-port-forward")
    assert meant(seen("timeout", "private", elapsed=4.0))[0] == "not-forwarded"
    assert meant(seen("host-unreachable", "private", elapsed=3.1))[0] == "no-neighbour-far"
    assert not {"cloud-rules", "not-forwarded"} & set(meant(seen("timeout", "lan", elapsed=4.0)))


def test_an_ipv6_refusal_first_means_that_forge_is_on_ipv4() -> None:
    assert meant(seen("refused", family="ipv6"))[0] == "ipv4-only"
    assert "ipv4-only" not in meant(seen("refused"))


def test_what_to_look_at_there_names_the_port_for_each_system() -> None:
    reading = read(seen("refused"), "h:7861", 7861)
    assert [system for system, _ in reading.look] == ["Linux", "Windows", "macOS"]
    assert all("7861" in command for _, command in reading.look)
    assert read(seen("refused", "loopback"), "h:7861", 7861).look == ()


@pytest.mark.parametrize(("outcome", "stage", "detail", "kind"), [
    ("timeout", "headers", "", "silent"),
    ("timeout", "connect", "", "timeout"),
    ("tls-error", "tls", "[SSL: WRONG_VERSION_NUMBER] wrong version number", "tls-not-wanted"),
    ("tls-error", "tls", "self-signed certificate", "error"),
    ("unreachable", "connect", "EWHATEVER: never heard of", "error"),
    ("answered", "", "", "open"),
    ("something new", "", "", "error"),
])  # fmt: skip
def test_a_probe_is_one_symptom(outcome: str, stage: str, detail: str, kind: str) -> None:
    assert kind_of(outcome, stage, detail)[0] == kind


def test_no_cause_is_written_and_never_read() -> None:
    read_ever = set()
    for kind, place, family, client, inside, elapsed, error in product(
        KINDS,
        PLACES,
        ("ipv4", "ipv6"),
        ("linux", "windows", "macos"),
        ("", "container", "wsl"),
        (0.0, 3.07, 4.0),
        ("", "EPERM"),
    ):
        read_ever |= set(
            meant(seen(kind, place, family=family, client=client, inside=inside, elapsed=elapsed, error=error))
        )
    assert read_ever == set(CAUSES)
