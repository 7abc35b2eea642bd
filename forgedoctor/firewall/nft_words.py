"""The words of nftables: names for numbers, kinds of values, priorities.

A *kind* says how a value is read: ``ip4``, ``ip6``, ``port``, ``proto``, ``number`` and the other numeric ones give a
range of integers; ``name`` gives interface names; the rest give names. Sources: the symbol tables of nftables 1.0.6,
IANA's registries for services and protocols.
"""

from __future__ import annotations

FAMILIES = ("ip", "ip6", "inet", "netdev", "bridge", "arp")
SERVICES = {
    "tcpmux": 1, "echo": 7, "discard": 9, "systat": 11, "daytime": 13, "netstat": 15, "chargen": 19, "ftp-data": 20,
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "mail": 25, "time": 37, "whois": 43, "tacacs": 49, "domain": 53,
    "bootps": 67, "bootpc": 68, "tftp": 69, "gopher": 70, "finger": 79, "http": 80, "www": 80, "kerberos": 88,
    "pop3": 110, "sunrpc": 111, "rpcbind": 111, "auth": 113, "ident": 113, "nntp": 119, "ntp": 123, "epmap": 135,
    "netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139, "imap": 143, "imap2": 143, "snmp": 161,
    "snmp-trap": 162, "snmptrap": 162, "xdmcp": 177, "bgp": 179, "irc": 194, "ptp-event": 319, "ptp-general": 320,
    "ldap": 389, "https": 443, "microsoft-ds": 445, "kpasswd": 464, "submissions": 465, "ssmtp": 465, "smtps": 465,
    "urd": 465, "isakmp": 500, "ike": 500, "exec": 512, "login": 513, "shell": 514, "syslog": 514, "printer": 515,
    "route": 520, "dhcpv6-client": 546, "dhcpv6-server": 547, "rtsp": 554, "nntps": 563, "submission": 587,
    "ipp": 631, "ldaps": 636, "domain-s": 853, "rsync": 873, "ftps-data": 989, "ftps": 990, "telnets": 992,
    "imaps": 993, "pop3s": 995, "socks": 1080, "openvpn": 1194, "ms-sql-s": 1433, "ms-sql-m": 1434, "ingreslock": 1524,
    "l2tp": 1701, "l2f": 1701, "pptp": 1723, "radius": 1812, "radius-acct": 1813, "mqtt": 1883, "ssdp": 1900,
    "nfs": 2049, "docker": 2375, "docker-s": 2376, "iscsi-target": 3260, "mysql": 3306, "ms-wbt-server": 3389,
    "nut": 3493, "svn": 3690, "epmd": 4369, "ipsec-nat-t": 4500, "iax": 4569, "sip": 5060, "sip-tls": 5061,
    "xmpp-client": 5222, "xmpp-server": 5269, "mdns": 5353, "llmnr": 5355, "wsdapi": 5357, "postgresql": 5432,
    "amqps": 5671, "amqp": 5672, "rfb": 5900, "x11": 6000, "redis": 6379, "gnutella-svc": 6346, "ircd": 6667,
    "ircs-u": 6697, "http-alt": 8080, "webcache": 8080, "puppet": 8140, "secure-mqtt": 8883, "git": 9418,
    "zabbix-agent": 10050, "zabbix-trapper": 10051, "amanda": 10080,
}  # fmt: skip
PROTOCOLS = {
    "ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9,
    "pup": 12, "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37,
    "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50,
    "ipv6-crypt": 50, "ah": 51, "ipv6-auth": 51, "skip": 57, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59,
    "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ospfigp": 89, "ax.25": 93, "ipip": 94,
    "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108, "comp": 108, "vrrp": 112, "carp": 112, "l2tp": 115,
    "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135, "mh": 135, "udplite": 136, "mpls-in-ip": 137,
    "manet": 138, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143, "mptcp": 262,
}  # fmt: skip
ICMP = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16, "address-mask-request": 17,
    "address-mask-reply": 18,
}  # fmt: skip
ICMPV6 = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
    "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132,
    "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138, "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
ICMP_CODES = {
    "net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4,
    "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13,
}  # fmt: skip
ICMPV6_CODES = {
    "no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4, "policy-fail": 5,
    "reject-route": 6,
}  # fmt: skip
ICMPX_CODES = {"no-route": 0, "port-unreachable": 1, "host-unreachable": 2, "admin-prohibited": 3}
TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "ece": 64, "cwr": 128}
ETHER_TYPES = {"ip": 0x0800, "arp": 0x0806, "ip6": 0x86DD, "8021q": 0x8100, "vlan": 0x8100, "8021ad": 0x88A8}
# What a value of these kinds is called, by number (``nft -n`` prints numbers).
NAMES: dict[str, dict[int, str]] = {
    "state": {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"},
    "status": {1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 16: "snat", 32: "dnat", 512: "dying"},
    "direction": {0: "original", 1: "reply"},
    "nfproto": {2: "ipv4", 10: "ipv6"},
    "pkttype": {0: "host", 1: "broadcast", 2: "multicast", 3: "other"},
    "addrtype": {
        0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole",
        7: "unreachable", 8: "prohibit",
    },
}  # fmt: skip
NUMBERS: dict[str, dict[str, int]] = {
    "port": SERVICES,
    "proto": PROTOCOLS,
    "icmp": ICMP,
    "icmp6": ICMPV6,
    "icmpcode": ICMP_CODES,
    "icmp6code": ICMPV6_CODES,
    "flags": TCP_FLAGS,
    "ethertype": ETHER_TYPES,
    "arpop": {"request": 1, "reply": 2, "rrequest": 3, "rreply": 4, "inrequest": 8, "inreply": 9, "nak": 10},
    "bool": {"missing": 0, "exists": 1},
    "number": {},
}
BITS = frozenset({"state", "status", "flags", "label"})  # without an operator any of the values will do
TYPES = {
    "ipv4_addr": "ip4", "ipv6_addr": "ip6", "inet_service": "port", "inet_proto": "proto", "mark": "number",
    "ifname": "name", "iface_index": "iif", "nf_proto": "nfproto", "icmp_type": "icmp", "icmpv6_type": "icmp6",
    "icmp_code": "icmpcode", "icmpv6_code": "icmp6code", "ct_state": "state", "ct_status": "status",
    "ct_dir": "direction", "ct_label": "label", "tcp_flag": "flags", "pkt_type": "pkttype", "fib_addrtype": "addrtype",
    "ether_type": "ethertype", "arp_op": "arpop", "boolean": "bool", "ether_addr": "any", "time": "time",
}  # fmt: skip
# The kinds of fields, by first and second word; what is not here is of kind "any".
_PORTS = {"dport": "port", "sport": "port"}
_IP4 = {"saddr": "ip4", "daddr": "ip4", "protocol": "proto"}
_IP6 = {"saddr": "ip6", "daddr": "ip6", "nexthdr": "proto"}
_NEXT = {"nexthdr": "proto"}
KINDS: dict[str, dict[str, str]] = {
    "ip": _IP4,
    "ip6": _IP6,
    "tcp": _PORTS | {"flags": "flags"},
    "udp": _PORTS,
    "udplite": _PORTS,
    "sctp": _PORTS,
    "dccp": _PORTS,
    "th": _PORTS,
    "icmp": {"type": "icmp", "code": "icmpcode"},
    "icmpv6": {"type": "icmp6", "code": "icmp6code"},
    "igmp": {},
    "ether": {"type": "ethertype"},
    "vlan": {"type": "ethertype"},
    "arp": {"operation": "arpop", "ptype": "ethertype", "saddr ip": "ip4", "daddr ip": "ip4"},
    "ah": _NEXT, "esp": {}, "comp": _NEXT, "hbh": _NEXT, "dst": _NEXT, "mh": _NEXT, "frag": _NEXT,
    "rt": _NEXT, "rt0": {}, "rt2": {}, "rt4": {}, "srh": {}, "gre": {}, "gretap": {}, "vxlan": {}, "geneve": {},
    "socket": {}, "tunnel": {}, "exthdr": {},
}  # fmt: skip
META = {
    "iif": "iif", "oif": "iif", "iifname": "name", "oifname": "name", "mark": "number", "nfproto": "nfproto",
    "l4proto": "proto", "pkttype": "pkttype", "protocol": "ethertype", "ipsec": "bool", "secpath": "bool",
    "ibrname": "name", "obrname": "name", "cgroup": "number",
}  # fmt: skip
META_UNQUALIFIED = frozenset({
    "mark", "iif", "iifname", "iiftype", "iifgroup", "oif", "oifname", "oiftype", "oifgroup", "skuid", "skgid",
    "nftrace", "rtclassid", "ibriport", "ibrname", "obriport", "obrname", "pkttype", "cpu", "cgroup", "time", "day",
    "hour",
})  # fmt: skip
CT = {
    "state": "state", "status": "status", "direction": "direction", "mark": "number", "label": "label",
    "protocol": "proto", "proto-src": "port", "proto-dst": "port", "l3proto": "nfproto", "expiration": "time",
    "zone": "number", "ip saddr": "ip4", "ip daddr": "ip4", "ip6 saddr": "ip6", "ip6 daddr": "ip6",
}  # fmt: skip
# The protocol that a field's first word asks of a packet.
LAYER4 = {"tcp": 6, "udp": 17, "udplite": 136, "sctp": 132, "dccp": 33, "icmp": 1, "icmpv6": 58, "igmp": 2}
NFPROTO = {"ip": "ipv4", "ip6": "ipv6"}
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_BRIDGE = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
# Tables and chains that iptables makes; a table of another name is not its.
IPTABLES_TABLES = frozenset({"filter", "nat", "mangle", "raw", "security"})
IPTABLES_CHAINS = frozenset({"INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"})
# Nothing of the kind changes what becomes of a packet.
SET_WITHOUT_EFFECT = frozenset({
    "meta priority", "meta nftrace", "meta secmark", "meta broute", "ct label", "ct event", "ct helper", "ct timeout",
    "ct expectation", "ct secmark", "ct zone", "ct original zone", "ct reply zone",
})  # fmt: skip


def priority(name: str, family: str) -> int | None:
    """The number of a named priority, which is another in a bridge."""
    return (_BRIDGE if family == "bridge" else _PRIORITIES).get(name)


def kind_of_type(name: str) -> str:
    """The kind of a set's element, by the name of its type."""
    return TYPES.get(name, "any")
