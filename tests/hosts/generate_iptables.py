"""Random rulesets of iptables, for either engine, in the words of iptables-save."""

from __future__ import annotations

from random import Random

from tests.hosts.generate import PORTS

_HOOKS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"), "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"), "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}  # fmt: skip


class Writer:
    """Writes the rules of one table."""

    def __init__(self, draw: Random, table: str, six: bool) -> None:
        self.draw, self.table, self.six = draw, table, six
        self.chains: list[str] = []

    def match(self, chain: str) -> str:
        """One match, or a few that belong together."""
        draw = self.draw
        port, no = draw.choice(PORTS), draw.choice(("", "", "! "))
        made = [
            f"-p tcp -m tcp {no}--dport {port}", f"-p tcp -m tcp {no}--dport {port}", "-p tcp -m tcp --dport 7000:8080",
            f"-p tcp -m multiport {no}--dports {','.join(map(str, draw.sample(PORTS, 2)))}", "-p tcp -m multiport --dports 22,7860:7869,9000",
            "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", "-p tcp",
            f"-p {'ipv6-icmp' if self.six else 'icmp'}", f"-m conntrack {no}--ctstate {draw.choice(('NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED,NEW'))}",
            f"-m state --state {draw.choice(('NEW', 'RELATED,ESTABLISHED'))}", f"-m mark {no}--mark 0x1", "-m mark --mark 0x10/0xf0",
            f"-m connmark {no}--mark 0x1", "-m addrtype --dst-type LOCAL", f"-p tcp -m conntrack {no}--ctorigdstport {port}",
            f"-m conntrack {no}--ctstate DNAT", f"-m conntrack {no}--ctstatus SEEN_REPLY", "-p tcp -m tcp --sport 1024:65535", "-m comment --comment \"-j DROP of all\"",
            "-m pkttype --pkt-type unicast" if chain == "INPUT" else "-p tcp", "-m conntrack --ctdir ORIGINAL",
        ]  # fmt: skip
        if self.six:
            made += [f"{no}-s {draw.choice(('fd50::20/128', 'fd50::/120', 'fe80::/10'))}"] * 3
        else:
            made += [
                f"{no}-s {draw.choice(('192.168.50.20/32', '192.168.50.0/25', '192.168.60.0/24', '10.0.0.0/8'))}"
            ] * 3
            made += [f"-m iprange {no}--src-range 192.168.50.10-192.168.50.99", "-d 192.168.50.10/32"]
        if chain in ("INPUT", "PREROUTING", "FORWARD"):
            made += [f"{no}-i {draw.choice(('eth0', 'wlan0', 'e+', 'lo'))}"] * 3
        if chain in ("OUTPUT", "POSTROUTING", "FORWARD"):
            made += [f"{no}-o {draw.choice(('eth0', 'wlan0', 'e+', 'docker0'))}"] * 3
        return draw.choice(made)

    def target(self, chain: str) -> str:
        """Where a rule goes."""
        draw = self.draw
        kind = draw.random()
        if self.table == "nat":
            to = draw.choice((7860, 8080))
            if not self.six and draw.random() < 0.4:
                return f"-j DNAT --to-destination 172.17.0.2:{draw.choice((7860, 7860, 8080))}"
            return f"-j REDIRECT --to-ports {to}" if chain == "PREROUTING" else "-j ACCEPT"
        if self.table in ("mangle", "raw") and kind < 0.5:
            if self.table == "raw":
                return draw.choice(("-j CT --notrack", "-j ACCEPT", "-j MARK --set-xmark 0x1/0xffffffff"))
            return draw.choice(("-j MARK --set-xmark 0x1/0xffffffff", "-j MARK --set-xmark 0x10/0xf0", "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
                                "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff", "-j CONNMARK --set-xmark 0x1/0xffffffff"))  # fmt: skip
        if kind < 0.4:
            return "-j ACCEPT"
        if kind < 0.62:
            return "-j DROP"
        if kind < 0.75 and self.chains:
            return f"-{draw.choice('jjg')} {draw.choice(self.chains)}"
        if kind < 0.85 and self.table == "filter":
            kinds = (
                ("icmp6-port-unreachable", "icmp6-adm-prohibited")
                if self.six
                else ("icmp-port-unreachable", "icmp-admin-prohibited", "icmp-host-prohibited")
            )
            return draw.choice(
                ("-p tcp -j REJECT --reject-with tcp-reset", f"-j REJECT --reject-with {draw.choice(kinds)}")
            )
        return draw.choice(("-j RETURN", "-j ACCEPT", ""))

    def rule(self, chain: str, hook: str) -> str:
        """One line."""
        draw = self.draw
        if self.table == "nat":
            words = [f"-p tcp -m tcp --dport {draw.choice(PORTS)}"]
            if draw.random() < 0.3:
                words.append("-i eth0" if hook == "PREROUTING" else "")
        else:
            words = [self.match(hook) for _ in range(draw.choice((0, 1, 1, 2)))] or ["-p tcp -m tcp --dport 7860"]
        end = self.target(hook)
        if "-p tcp -j" in end:
            words, end = [word for word in words if "-p " not in word], end
        seen = [word for number, word in enumerate(words) if not any(_clash(word, one) for one in words[:number])]
        return " ".join(part for part in (f"-A {chain}", *seen, end) if part)

    def lines(self) -> list[str]:
        """The table's block."""
        draw = self.draw
        hooks = list(_HOOKS[self.table])
        if self.table == "nat":
            hooks = ["PREROUTING"]
        out = [f"*{self.table}"]
        for hook in _HOOKS[self.table]:
            policy = (
                "DROP" if self.table == "filter" and draw.random() < (0.5 if hook == "INPUT" else 0.2) else "ACCEPT"
            )
            out.append(f":{hook} {policy} [0:0]")
        rules: list[str] = []
        if self.table == "filter":
            for number in range(draw.randint(0, 3)):
                name = f"C{number}"
                out.append(f":{name} - [0:0]")
                rules += [self.rule(name, "") for _ in range(draw.randint(1, 4))]
                self.chains.append(name)
        for hook in hooks:
            if self.table == "filter" or draw.random() < 0.5:
                if self.table == "filter" and draw.random() < 0.65:
                    rules.append(f"-A {hook} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
                if self.table == "filter" and draw.random() < 0.7:
                    rules.append(f"-A {hook} -p {'ipv6-icmp' if self.six else 'icmp'} -j ACCEPT")
                rules += [self.rule(hook, hook) for _ in range(draw.randint(1, 4))]
        return [*out, *rules, "COMMIT"]


def _clash(one: str, other: str) -> bool:
    """Whether two matches name the same option, which iptables refuses."""
    words = {word for word in one.split() if word.startswith("-") and word != "-m"}
    return bool(words & {word for word in other.split() if word.startswith("-") and word != "-m"})


def iptables(seed: int, six: bool) -> str:
    """A listing for ``iptables-restore`` or ``ip6tables-restore``."""
    draw = Random(seed)
    tables = [
        "filter",
        *(name for name, chance in (("mangle", 0.35), ("raw", 0.2), ("nat", 0.3)) if draw.random() < chance),
    ]
    return "\n".join(line for table in tables for line in Writer(draw, table, six).lines()) + "\n"
