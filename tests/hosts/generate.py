"""Random rulesets of nft: small, valid, and made of what people write. The same seed makes the same ruleset."""

from __future__ import annotations

from random import Random

PORTS = (80, 7860, 8080, 9000)
SOURCES = ("192.168.50.20", "192.168.50.200", "192.168.60.20")
SOURCES6 = ("fd50::20", "fd50::200")
_NETS = ("192.168.50.0/25", "192.168.50.128/25", "192.168.0.0/16", "10.0.0.0/8", "192.168.60.0/24", "0.0.0.0/0")
_NETS6 = ("fd50::/64", "fd50::/120", "fe80::/10", "2001:db8::/32")
_INTERFACES = (
    '"eth0"',
    '"wlan0"',
    '"e*"',
    '"w*"',
    '!= "eth0"',
    '{ "eth0", "lo" }',
    '"lo"',
    '"docker0"',
    '!= "docker0"',
)
_FLAGS = (
    "syn / fin,syn,rst,ack", "& (syn | ack) == syn", "& (syn | ack) != syn", "syn", "ack", "!= syn", "== syn", "== { syn, ack }",
)  # fmt: skip
_STATES = ("new", "established", "related", "invalid", "untracked", "established,related", "established,related,new")
_REJECTS = (
    "reject", "reject with tcp reset", "reject with icmpx port-unreachable", "reject with icmpx admin-prohibited",
)  # fmt: skip


def ports(draw: Random) -> str:
    """A port, a negated one, a range or a set of them."""
    kind = draw.randrange(6)
    if kind == 0:
        return f"!= {draw.choice(PORTS)}"
    if kind == 1:
        return draw.choice(("7000-7999", "1-1023", "1024-65535", "8000-9000"))
    if kind == 2:
        return "{ " + ", ".join(map(str, draw.sample(PORTS, draw.randint(1, 3)))) + " }"
    if kind == 3:
        return "@ports"
    if kind == 4:
        return "!= { " + ", ".join(map(str, draw.sample((*PORTS, "22"), draw.randint(1, 3)))) + " }"
    return str(draw.choice(PORTS))


def address(draw: Random, six: bool) -> str:
    """An address match's right side."""
    single = SOURCES6 if six else SOURCES
    nets = _NETS6 if six else _NETS
    kind = draw.randrange(5)
    if kind == 0:
        return f"!= {draw.choice(nets)}"
    if kind == 1:
        return "{ " + ", ".join(draw.sample(single, 2)) + " }"
    if kind == 2:
        return "@lan6" if six else "@lan"
    return draw.choice(nets) if kind == 3 else draw.choice(single)


class Writer:
    """Writes one table; which hook a chain is for decides what may stand in its rules."""

    def __init__(self, draw: Random, family: str, name: str) -> None:
        self.draw, self.family, self.name = draw, family, name
        self.chains: list[str] = []  # written from the last to the first: one may jump to those before it
        self.marks = draw.random() < 0.4

    def match(self, hook: str) -> str:
        """One match; some are odd on purpose: for another family, or for a packet of another direction."""
        draw = self.draw
        made = [
            f"tcp dport {ports(draw)}", f"tcp dport {ports(draw)}", f"tcp dport {ports(draw)}", f"ct state {draw.choice(_STATES)}",
            f"ct state != {draw.choice(_STATES[:5])}", "meta l4proto tcp", "meta l4proto { icmp, ipv6-icmp }",
            f"meta l4proto != {draw.choice(('tcp', 'udp', 'ipv6-icmp'))}",
            f"tcp flags {draw.choice(_FLAGS)}",
            f"th dport {draw.choice(PORTS)}", f"tcp sport {draw.choice(('1024-65535', '0-1023', '!= 7860', '{ 80, 7860, 8080 }'))}",
            f"ct direction {draw.choice(('original', 'reply'))}", f"meta l4proto tcp ct original proto-dst {draw.choice(PORTS)}",
            f"ct status {draw.choice(('dnat', 'seen-reply', 'snat', '!= dnat'))}",
            f"meta mark {draw.choice(('0x1', '0x2', '!= 0x0', '& 0x1 == 0x1', '& 0xf0 != 0x10', '{ 0x1, 0x10 }', '0x0'))}",
            f"ct mark {draw.choice(('0x1', '0x0', '!= 0x1'))}", f"tcp dport >= {draw.choice(PORTS)}", f"tcp dport < {draw.choice(PORTS)}",
        ]  # fmt: skip
        if self.family != "ip6":
            made += [f"ip saddr {address(draw, False)}"] * 3 + [
                f"ip daddr {draw.choice(('192.168.50.10', '192.168.60.10', '!= 192.168.50.10'))}"
            ]
            made += [
                "ip saddr . tcp dport @pairs",
                "ip protocol tcp",
                "ip saddr . tcp dport { 192.168.50.20 . 7860, 192.168.50.0/24 . 8080-9000 }",
            ]
        if self.family != "ip":
            made += [f"ip6 saddr {address(draw, True)}"] * 2 + [
                "ip6 nexthdr tcp",
                "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }",
            ]
        if self.family == "inet":
            made += [f"meta nfproto {draw.choice(('ipv4', 'ipv6'))}", f"meta protocol {draw.choice(('ip', 'ip6'))}"]
        if hook in ("prerouting", "input", "forward", ""):
            made += [f"iifname {draw.choice(_INTERFACES)}"] * 2
            made += ["fib daddr type local", "meta pkttype host" if hook else "fib daddr type != local", 'iif "lo"']
        if hook in ("output", "postrouting", "forward"):
            made += [f"oifname {draw.choice(_INTERFACES)}"] * 2
        if hook == "input" and draw.random() < 0.1:
            made.append('oifname != "eth0"')
        if hook == "prerouting":
            made.append("fib saddr . iif oif missing")
        return draw.choice(made)

    def verdict(self, hook: str) -> str:
        """How a rule ends."""
        draw = self.draw
        kind = draw.random()
        if kind < 0.32:
            return "accept"
        if kind < 0.52:
            return "drop"
        if kind < 0.62 and hook in ("input", "output", "prerouting", "forward"):
            return draw.choice(_REJECTS)
        if kind < 0.72 and self.chains:
            return f"{draw.choice(('jump', 'jump', 'goto'))} {draw.choice(self.chains)}"
        if kind < 0.78:
            return "return"
        if kind < 0.9 and self.marks:
            return self.marking()
        return draw.choice(("counter", "accept", "drop", "continue"))

    def marking(self) -> str:
        """A rule's end that writes a mark."""
        return self.draw.choice((
            "meta mark set 0x1", "meta mark set meta mark | 0x10", "meta mark set meta mark & 0xfffffff0", "ct mark set 0x1",
            "ct mark set meta mark", "meta mark set ct mark", "meta mark set tcp dport map { 7860 : 0x1, 8080 : 0x2 }",
            "meta mark set meta mark ^ 0x1",
        ))  # fmt: skip

    def vmap(self, hook: str) -> str:
        """A rule that looks its verdict up."""
        draw, targets = self.draw, ["accept", "drop", "return", *(f"jump {name}" for name in self.chains)]
        one, other = draw.choice(targets), draw.choice(targets)
        made = [
            f"tcp dport vmap {{ 7860 : {one}, 8080-9000 : {other} }}", f"ct state vmap {{ new : {one}, established : accept }}",
            f"meta mark vmap {{ 0x1 : {one}, 0x0 : {other} }}", "tcp dport vmap @byport",
        ]  # fmt: skip
        if self.family != "ip6":
            made.append(
                f"ip saddr . tcp dport vmap {{ 192.168.50.20 . 7860 : {one}, 192.168.50.200 . 8080 : {other} }}"
            )
        if hook in ("input", "prerouting"):
            made.append(f'iifname vmap {{ "eth0" : {one}, "wlan0" : {other} }}')
        return draw.choice(made)

    def rule(self, hook: str) -> str:
        """One rule."""
        if self.draw.random() < 0.12:
            return self.vmap(hook)
        matches = [self.match(hook) for _ in range(self.draw.choice((0, 1, 1, 1, 2, 2, 3)))]
        end = self.verdict(hook)
        if "tcp reset" in end:  # before it, nft 1.0.6 leaves the family out of its listings
            matches = [one for one in matches if not one.startswith(("meta nfproto", "meta protocol"))]
        if not matches and end in ("drop", "counter", "continue", "return"):
            matches = [f"tcp dport {self.draw.choice(PORTS)}"]
        return " ".join([*dict.fromkeys(matches), end])

    def chain(self, name: str, head: str, hook: str) -> list[str]:
        """A chain; a base chain has a head."""
        draw = self.draw
        rules = [self.rule(hook) for _ in range(draw.randint(1, 6))]
        if head and draw.random() < 0.7:
            rules.insert(0, "meta l4proto { icmp, ipv6-icmp } accept")
        if head and hook in ("input", "output", "forward") and draw.random() < 0.65:
            rules.insert(
                draw.randint(0, 1),
                draw.choice(("ct state established,related accept", "ct state { established, related } accept")),
            )
        return [f"\tchain {name} {{", *([f"\t\t{head}"] if head else []), *(f"\t\t{rule}" for rule in rules), "\t}"]

    def table(self) -> list[str]:
        """The table with its sets and chains."""
        draw = self.draw
        lines = [f"table {self.family} {self.name} {{"]
        lines += [
            "\tset ports {",
            "\t\ttype inet_service",
            "\t\tflags interval",
            f"\t\telements = {{ {', '.join(draw.sample(('22', '80', '443', '7860-7869', '8080'), 3))} }}",
            "\t}",
        ]
        lines += [
            "\tmap byport {",
            "\t\ttype inet_service : verdict",
            f"\t\telements = {{ 7860 : {draw.choice(('accept', 'drop'))}, 9000 : {draw.choice(('accept', 'drop', 'return'))} }}",
            "\t}",
        ]
        if self.family != "ip6":
            lines += [
                "\tset lan {",
                "\t\ttype ipv4_addr",
                "\t\tflags interval",
                f"\t\telements = {{ {', '.join(draw.sample(('10.0.0.0/8', '192.168.50.0/25', '192.168.60.20', '172.16.0.0/12'), 2))} }}",
                "\t}",
            ]
            lines += [
                "\tset pairs {",
                "\t\ttype ipv4_addr . inet_service",
                f"\t\telements = {{ 192.168.50.20 . {draw.choice(PORTS)}, 192.168.60.20 . {draw.choice(PORTS)} }}",
                "\t}",
            ]
        if self.family != "ip":
            lines += [
                "\tset lan6 {",
                "\t\ttype ipv6_addr",
                "\t\tflags interval",
                "\t\telements = { fd50::/120, 2001:db8::/32 }",
                "\t}",
            ]
        for number in range(draw.randint(0, 3)):
            lines += self.chain(f"c{number}", "", "")
            self.chains.append(f"c{number}")
        for number in range(draw.randint(1, 3)):
            lines += self.base(number)
        return [*lines, "}"]

    def base(self, number: int) -> list[str]:
        """A base chain."""
        draw = self.draw
        hook = draw.choices(("input", "output", "prerouting", "postrouting", "forward"), (6, 2, 2, 0.5, 1.5))[0]
        priority = draw.choice((-300, -150, -10, 0, 0, 10, 50, -101, -99))
        policy = "drop" if hook in ("input", "output", "forward") and draw.random() < 0.35 else "accept"
        lines = self.chain(f"b{number}", f"type filter hook {hook} priority {priority}; policy {policy};", hook)
        if hook in ("prerouting", "output") and priority == -300 and draw.random() < 0.5:
            end = lines.pop()
            sides = ("dport", "sport") if hook == "prerouting" else ("sport", "dport")
            lines += [f"\t\ttcp {sides[draw.random() < 0.1]} {draw.choice(PORTS)} notrack", end]
        return lines


def nat(draw: Random, family: str) -> list[str]:
    """A table that translates."""
    six = family == "ip6"
    target = (
        "dnat to [fd50::10]:" if six else "dnat to 192.168.50.10:" if family == "ip" else "dnat ip to 192.168.50.10:"
    )
    choices = [
        "tcp dport 80 redirect to :7860", "tcp dport 9000 redirect to :8080", "tcp dport 7860 redirect to :8080", f"tcp dport 80 {target}7860",
        f"tcp dport {{ 80, 9000 }} {target}8080", "iifname \"wlan0\" tcp dport 80 redirect to :8080", "tcp dport 8080 accept",
        "fib daddr type local tcp dport 80 redirect to :7860", "tcp dport 9000 drop",
    ]  # fmt: skip
    if not six:
        inside = "dnat to 172.17.0.2:" if family == "ip" else "dnat ip to 172.17.0.2:"
        choices += [f"tcp dport 80 {inside}7860"] * 3
        choices += [f"iifname != docker0 tcp dport 9000 {inside}7860", f"tcp dport 9000 {inside}8080"]
        choices += [
            "redirect to :tcp dport map { 80 : 7860, 9000 : 8080 }",
            "ip saddr 192.168.50.0/25 tcp dport 80 redirect to :8080",
        ]
    lines = [
        f"table {family} nat {{",
        "\tchain pre {",
        f"\t\ttype nat hook prerouting priority {draw.choice((-100, -90, -150))}; policy accept;",
    ]
    lines += [f"\t\t{draw.choice(choices)}" for _ in range(draw.randint(1, 3))]
    lines.append("\t}")
    if draw.random() < 0.3:
        lines += [
            "\tchain post {",
            "\t\ttype nat hook postrouting priority 100; policy accept;",
            "\t\tmasquerade",
            "\t}",
        ]
    return [*lines, "}"]


def guard(draw: Random) -> list[str]:
    """A chain at the device's ingress."""
    rules = [draw.choice((
        f"tcp dport {draw.choice(PORTS)} drop", "ip saddr 192.168.50.200 drop", f"ip6 saddr fd50::20 tcp dport {draw.choice(PORTS)} drop",
        "meta protocol ip6 tcp dport 7860 drop", "tcp flags syn / syn,ack tcp dport 8080 drop", "ether type arp accept", "meta mark set 0x1",
    )) for _ in range(draw.randint(1, 2))]  # fmt: skip
    device = draw.choice(("eth0", "wlan0"))
    head = f'\t\ttype filter hook ingress device "{device}" priority 0; policy {"drop" if draw.random() < 0.05 else "accept"};'
    return ["table netdev guard {", "\tchain ing {", head, *(f"\t\t{rule}" for rule in rules), "\t}", "}"]


def nft(seed: int) -> str:
    """A ruleset in nft's own words."""
    draw = Random(seed)
    lines: list[str] = []
    for number in range(draw.choice((1, 1, 2, 2, 3))):
        lines += Writer(draw, draw.choice(("inet", "inet", "inet", "ip", "ip6")), f"t{number}").table()
    if draw.random() < 0.35:
        lines += nat(draw, draw.choice(("ip", "ip", "ip6", "inet")))
    if draw.random() < 0.12:
        lines += guard(draw)
    return "\n".join(lines) + "\n"
