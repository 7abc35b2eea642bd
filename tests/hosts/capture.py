"""What the doctor would read: each kind's listings, as shell commands that write into ``$LISTINGS``.

``iptables-legacy-save`` only where the legacy engine is in use: asking it makes its tables.
"""

from __future__ import annotations

_ALL = """
export LC_ALL=C
nft list ruleset >"$LISTINGS/nft.txt"
nft -j list ruleset >"$LISTINGS/nft.json"
"""
_XTABLES = """
iptables-nft-save >"$LISTINGS/iptables-nft-save.txt" 2>/dev/null
ip6tables-nft-save >"$LISTINGS/ip6tables-nft-save.txt" 2>/dev/null
! grep -q . /proc/net/ip_tables_names || iptables-legacy-save >"$LISTINGS/iptables-legacy-save.txt"
! grep -q . /proc/net/ip6_tables_names || ip6tables-legacy-save >"$LISTINGS/ip6tables-legacy-save.txt"
"""
_IPSET = """
ipset save >"$LISTINGS/ipset-save.txt"
"""
_UFW = """
ufw status verbose >"$LISTINGS/ufw-status-verbose.txt"
ufw show added >"$LISTINGS/ufw-show-added.txt"
cp /etc/ufw/ufw.conf /etc/ufw/user.rules "$LISTINGS/"
cp /etc/default/ufw "$LISTINGS/default-ufw"
"""
_FIREWALLD = """
firewall-cmd --get-active-zones >"$LISTINGS/get-active-zones.txt"
firewall-cmd --list-all-zones >"$LISTINGS/list-all-zones.txt"
firewall-cmd --permanent --list-all-zones >"$LISTINGS/permanent-list-all-zones.txt"
"""

CAPTURE = {
    "nft": _ALL,
    "iptables": _ALL + _XTABLES + _IPSET,
    "legacy": _ALL + _XTABLES + _IPSET,
    "ufw": _ALL + _XTABLES + _UFW,
    "firewalld": _ALL + _XTABLES + _FIREWALLD,
}
