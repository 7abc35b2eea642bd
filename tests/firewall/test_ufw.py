"""The status of ufw as rules: what is let in, what is left open, and what is refused to be read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgedoctor.firewall import iptables, ufw
from forgedoctor.firewall.evaluate import evaluate
from forgedoctor.firewall.model import Ruleset
from forgedoctor.firewall.probes import Probe
from forgedoctor.firewall.ufw import Defaults
from forgedoctor.firewall.ufw_rows import Side, side

# ufw 0.36.2, LC_ALL=C ufw status verbose
VERBOSE = """Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), deny (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere                  
7860/tcp                   ALLOW IN    192.168.50.0/25            # forge lan
Anywhere                   DENY IN     10.0.0.5                  
2222/tcp                   LIMIT IN    Anywhere                  
8000:8010/tcp              REJECT IN   Anywhere                  
80,443/tcp on eth0         ALLOW IN    Anywhere                  
80,443/tcp (Nginx Full)    ALLOW IN    10.2.0.0/16               
9000                       REJECT IN   Anywhere                  
192.168.50.10 7861/tcp     ALLOW IN    10.1.0.0/16 1000:2000/tcp 
Anywhere                   DENY IN     10.9.0.0/16/esp           
Anywhere on wlan0          ALLOW IN    Anywhere                  
7863/tcp                   ALLOW IN    Anywhere                   (log) # a # b
22/tcp (v6)                ALLOW IN    Anywhere (v6)             
80,443/tcp (Nginx Full (v6)) ALLOW IN    Anywhere (v6)             
7862/tcp                   ALLOW IN    fd50::/64                 

25                         DENY OUT    Anywhere                   (out)

172.17.0.2 7860/tcp on docker0 ALLOW FWD   Anywhere on eth0          
"""  # noqa: W291
NUMBERED = """Status: active

     To                         Action      From
     --                         ------      ----
[ 1] 7860/tcp                   DENY IN     192.168.50.20             
[ 2] 7860/tcp                   ALLOW IN    Anywhere                  
[10] 7860/tcp (v6)              ALLOW IN    Anywhere (v6)             
"""  # noqa: W291


def decide(ruleset: Ruleset, src: str, port: int, iif: str = "eth0") -> str:
    dst = "fd50::10" if ":" in src else "192.168.50.10"
    return evaluate([ruleset], [Probe(name="x", src=src, dst=dst, dport=port, iif=iif)])[0].decision.verdict


@pytest.mark.parametrize(
    ("src", "port", "iif", "verdict"),
    [
        ("192.168.50.20", 22, "eth0", "open"),
        ("192.168.50.20", 7860, "eth0", "open"),
        ("192.168.50.200", 7860, "eth0", "filtered"),  # not in the network that is let in
        ("10.0.0.5", 22, "eth0", "open"),  # the first rule counts
        ("10.0.0.5", 7863, "eth0", "filtered"),
        ("192.168.50.20", 2222, "eth0", "undecided"),  # limit: refused from the sixth attempt in 30 s
        ("192.168.50.20", 8005, "eth0", "refused"),
        ("192.168.50.20", 9000, "eth0", "refused"),
        ("192.168.50.20", 443, "eth0", "open"),
        ("192.168.50.20", 443, "eth1", "filtered"),
        ("10.2.0.1", 443, "eth1", "open"),
        ("192.168.50.20", 7863, "eth0", "open"),
        ("192.168.50.20", 7864, "eth0", "filtered"),
        ("192.168.60.20", 7864, "wlan0", "open"),
        ("10.9.0.1", 22, "eth0", "open"),  # only ESP is denied there
        ("fd50::20", 22, "eth0", "open"),
        ("fd50::20", 7862, "eth0", "open"),
        ("fd51::20", 7862, "eth0", "filtered"),
        ("fd50::20", 7860, "eth0", "filtered"),
    ],
)
def test_who_is_let_in(src: str, port: int, iif: str, verdict: str) -> None:
    assert decide(ufw.read(VERBOSE, "status.txt"), src, port, iif) == verdict


def test_the_rule_and_its_line_are_those_of_the_listing() -> None:
    probe = Probe(name="x", src="192.168.50.20", dst="192.168.50.10", dport=7864, iif="eth0")
    decision = evaluate([ufw.read(VERBOSE, "status.txt")], [probe])[0].decision
    assert decision.rule == "Default: deny (incoming), allow (outgoing), deny (routed)"
    assert decision.where.startswith("status.txt:3")


@pytest.mark.parametrize(("policy", "verdict"), [("deny", "filtered"), ("reject", "refused"), ("allow", "open")])
def test_the_default_policy_decides_what_no_rule_names(policy: str, verdict: str) -> None:
    found = ufw.read(VERBOSE.replace("Default: deny", f"Default: {policy}"), "x")
    assert decide(found, "192.168.50.20", 7864) == verdict


def test_numbered_rules_without_a_policy_leave_the_rest_open() -> None:
    found = ufw.read(NUMBERED, "status.txt")
    assert decide(found, "192.168.50.20", 7860) == "filtered"
    assert decide(found, "192.168.50.21", 7860) == "open"
    assert decide(found, "192.168.50.21", 7861) == "undecided"
    assert any("ufw status verbose" in str(one) for one in found.problems)
    settled = ufw.read(NUMBERED, "status.txt", settings=Defaults(ipv6=True, incoming="drop"))
    assert decide(settled, "192.168.50.21", 7861) == "filtered"


def test_ipv6_is_open_to_doubt_where_no_rule_is_of_it() -> None:
    only4 = "\n".join(line for line in VERBOSE.splitlines() if "v6" not in line and "fd50" not in line)
    assert decide(ufw.read(only4, "x"), "fd50::20", 22) == "undecided"
    assert decide(ufw.read(only4, "x", settings=Defaults(ipv6=True)), "fd50::20", 22) == "filtered"
    without = ufw.read(only4, "x", settings=Defaults(ipv6=False))
    assert [table.family for table in without.tables] == ["ip"], "IPv6 is left to whatever else is loaded"


def test_profiles_shown_only_by_name() -> None:
    text = NUMBERED.replace("7860/tcp                   DENY IN ", "Nginx Full                 ALLOW IN").replace(
        "7860/tcp                   ALLOW IN", "My App                     ALLOW IN"
    )
    found = ufw.read(text, "x", settings=Defaults(incoming="drop", ipv6=True))
    assert decide(found, "192.168.50.20", 443) == "open"
    assert decide(found, "192.168.50.20", 7860) == "undecided", "My App may be any port"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anywhere", Side()),
        ("Anywhere (v6) on eth0", Side(interface="eth0", six=True)),
        ("Anywhere/tcp", Side(protocol="tcp")),
        ("7860:7870/tcp (v6)", Side(ports="7860:7870", protocol="tcp", six=True)),
        ("10.0.0.0/8/gre", Side(address="10.0.0.0/8", protocol="gre")),
        ("2001:db8::/32 22 on eth0", Side(address="2001:db8::/32", ports="22", interface="eth0", six=True)),
        ("80,443/tcp (Nginx Full (v6))", Side(ports="80,443", protocol="tcp", six=True)),
        ("10.0.0.1 Some App", Side(address="10.0.0.1", profile="Some App")),
        ("OpenSSH (v6)", Side(ports="22", protocol="tcp", six=True)),
    ],
)
def test_one_side_of_a_row(text: str, expected: Side) -> None:
    assert side(text) == expected


def test_a_row_that_is_not_understood_may_do_anything_it_says() -> None:
    found = ufw.read(VERBOSE.replace("22/tcp                     ALLOW", "22/frob                    ALLOW", 1), "x")
    assert decide(found, "192.168.50.200", 7864) == "undecided"
    assert decide(found, "192.168.50.20", 7860) == "open"


def test_lines_that_are_no_rules_are_named_and_rules_may_be_missing() -> None:
    found = ufw.read(VERBOSE + "\n".join(f"noise {one}" for one in range(9)), "status.txt")
    assert found.cut
    words = [str(one) for one in found.problems]
    assert "status.txt, line 27: this is no rule of ufw: noise 0" in words
    assert words[-1] == "status.txt: 4 more lines could not be read."


def test_inactive_means_no_rules_of_ufw() -> None:
    found = ufw.read("Status: inactive\n", "x")
    assert (found.kind, found.tables, found.cut) == ("ufw-status", (), False)
    assert [str(one) for one in found.problems] == ["x: ufw is off: it filters nothing."]


@pytest.mark.parametrize(
    "text",
    [
        "状态： 激活\n\n至                          动作          来自\n-                          --          --\n22    ALLOW    Anywhere\n",
        "状态：不活动\n",
        "Status: Aktiv\n\nZu                         Aktion      Von\n--                         ------      ---\n22    ALLOW    Anywhere\n",
        "État : actif\n",
    ],
)
def test_another_language_is_refused_with_the_command_to_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"not in English: run “sudo LC_ALL=C ufw status verbose”"):
        ufw.read(text, "status.txt")


def test_what_is_no_status_is_refused() -> None:
    with pytest.raises(ValueError, match="is no status of ufw"):
        ufw.read("ERROR: You need to be root to run this script\n", "status.txt")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENABLED=yes\nLOGLEVEL=low\n", True),
        ('# x\nENABLED="no"\n', False),
        ("LOGLEVEL=low\n", None),
        ("#ENABLED=yes", None),
    ],
)
def test_whether_ufw_starts_with_the_machine(text: str, expected: bool | None) -> None:
    assert ufw.boot_state(text) is expected


def test_settings_of_ufw() -> None:
    text = '# DEFAULT_INPUT_POLICY="ACCEPT"\nIPV6=no\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\n'
    text += 'DEFAULT_FORWARD_POLICY="REJECT"\nDEFAULT_APPLICATION_POLICY="SKIP"\n'
    assert ufw.defaults(text) == Defaults(ipv6=False, incoming="drop", outgoing="accept", routed="reject")
    assert ufw.defaults("") == Defaults()


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ALOWDENYREJCTIMFo 0123456789./:,()v6\n#[]", max_size=50)).map("\n".join))
def test_any_rows_are_read(text: str) -> None:
    assert ufw.read("Status: active\n" + text, "x").kind == "ufw-status"


# -- the real program: the summary must come to the same as the rules that ufw loaded ----------------------------------

TOLD = [
    "allow 22/tcp", "allow from 192.168.50.0/25 to any port 7860 proto tcp", "deny from 10.0.0.5", "limit 2222/tcp",
    "reject 8000:8010/tcp", "allow in on eth0 to any port 80,443 proto tcp", "deny out 25", "reject 9000",
    "allow proto tcp from 10.1.0.0/16 port 1000:2000 to 192.168.50.10 port 7861", "deny proto esp from 10.9.0.0/16",
    "allow from fd50::/64 to any port 7862 proto tcp", "allow in on wlan0", "allow log 7863/tcp comment 'a # b'",
]  # fmt: skip


@pytest.mark.real
def test_the_summary_says_what_the_loaded_rules_do(tmp_path: Path) -> None:
    if sys.platform != "linux" or not shutil.which("ufw") or not shutil.which("unshare"):
        pytest.skip("ufw is not installed")
    script = f"""set -e
cp -a /etc/ufw {tmp_path}/etc; cp /etc/default/ufw {tmp_path}/default
mount --bind {tmp_path}/etc /etc/ufw; mount --bind {tmp_path}/default /etc/default/ufw
ip link set lo up; export LC_ALL=C
ufw --force enable
{chr(10).join(f"ufw {one}" for one in TOLD)}
ufw status verbose > {tmp_path}/status; iptables-save > {tmp_path}/v4; ip6tables-save > {tmp_path}/v6; echo done"""
    done = subprocess.run(
        ["unshare", "-nm", "sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    if not done.stdout.endswith("done\n"):
        pytest.skip(f"ufw does not run here: {done.stderr[-200:]}")
    status, v4, v6 = ((tmp_path / name).read_text() for name in ("status", "v4", "v6"))
    rules = [iptables.read(v4, "v4"), iptables.read(v6, "v6")]
    probes = [
        Probe(name="x", src=src, dst="fd50::10" if ":" in src else "192.168.50.10", dport=port, iif=iif)
        for src in ("192.168.50.20", "192.168.50.200", "10.0.0.5", "10.1.2.3", "10.9.0.1", "fd50::20", "fd51::1")
        for port in (22, 25, 80, 443, 7860, 7861, 7862, 7863, 7864, 8005, 9000)
        for iif in ("eth0", "wlan0", "eth1")
    ]
    verdicts = [[one.decision.verdict for one in evaluate(given, probes)] for given in ([ufw.read(status, "s")], rules)]
    assert verdicts[0] == verdicts[1]
    assert {"open", "filtered", "refused"} <= set(verdicts[0])
