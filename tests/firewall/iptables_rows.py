"""Rules as iptables-save prints them, and what the reader makes of them, in short. "|" parts a rule written out twice.

Measured: each was loaded with iptables 1.8.9 (nft and legacy) and saved unchanged.
"""

from __future__ import annotations

from forgedoctor.firewall.model import Match, Part, SetField, Statement, Translate, Unknown, Verdict

_IPV4 = r"""
filter INPUT -p tcp -m tcp --dport 7860 -j ACCEPT => [meta l4proto == 6] [tcp dport == 7860] accept
filter INPUT -p tcp -m tcp ! --dport 1000:2000 -j ACCEPT => [meta l4proto == 6] [tcp dport != 1000-2000] accept
filter INPUT ! -s 192.168.50.0/24 -p tcp -j DROP => [ip saddr != 3232248320-3232248575] [meta l4proto == 6] drop
filter INPUT -s 10.0.12.0/255.0.255.0 -j DROP => [ip saddr & 0xff00ff00 == 167775232] drop
filter INPUT ! -i lo -j DROP => [iifname != lo] drop
filter INPUT -i eth+ -j ACCEPT => [iifname == eth*] accept
filter INPUT -d 192.168.50.10/32 ! -p udp -j ACCEPT => [ip daddr == 3232248330] [meta l4proto != 17] accept
filter INPUT -p 89 -j ACCEPT => [meta l4proto == 89] accept
filter INPUT -f -j DROP => [ip frag-off & 0x1fff != 0] drop
filter INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP => [meta l4proto == 6] [tcp flags & 0x17 == 2] drop
filter INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP => [meta l4proto == 6] [tcp flags & 0x17 != 2] [ct state == new] drop
filter INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP => [meta l4proto == 6] [tcp flags & 0x3f == 0] drop
filter INPUT -p tcp -m tcp --tcp-option 8 -j DROP => [meta l4proto == 6] ?tcp tcp-option drop
filter INPUT -p udp -m udp --sport 67:68 --dport 67:68 -j ACCEPT => [meta l4proto == 17] [udp sport == 67-68] [udp dport == 67-68] accept
filter INPUT -p tcp -m multiport --dports 22,80,7860:7869 -j ACCEPT => [meta l4proto == 6] [th dport == 22,80,7860-7869] accept
filter INPUT -p tcp -m multiport ! --dports 22,80 -j DROP => [meta l4proto == 6] [th dport != 22,80] drop
filter INPUT -p tcp -m multiport --ports 7860,7861 -j ACCEPT => [meta l4proto == 6] [th sport == 7860,7861] accept | [meta l4proto == 6] [th dport == 7860,7861] accept
filter INPUT -p tcp -m multiport ! --ports 7860 -j DROP => [meta l4proto == 6] [th sport != 7860] [th dport != 7860] drop
filter INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT => [meta l4proto == 1] [icmp type == 8] accept
filter INPUT -p icmp -m icmp --icmp-type 3/4 -j ACCEPT => [meta l4proto == 1] [icmp type . icmp code == 3.4] accept
filter INPUT -p icmp -m icmp ! --icmp-type 3/4 -j DROP => [meta l4proto == 1] [icmp type . icmp code != 3.4] drop
filter INPUT -p icmp -m icmp --icmp-type any -j ACCEPT => [meta l4proto == 1] accept
filter INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT => [ct state == related,established] accept
filter INPUT -m conntrack ! --ctstate INVALID -j ACCEPT => [ct state != invalid] accept
filter INPUT -m conntrack --ctstate DNAT -j ACCEPT => [ct status == dnat] accept
filter INPUT -m conntrack --ctstate NEW,DNAT -j ACCEPT => [ct state == new] accept | [ct status == dnat] accept
filter INPUT -m conntrack ! --ctstate NEW,DNAT -j DROP => [ct state != new] [ct status != dnat] drop
filter INPUT -p tcp -m conntrack --ctproto 6 --ctorigdst 192.168.50.0/24 --ctorigdstport 7860 --ctdir ORIGINAL -j ACCEPT => [meta l4proto == 6] [ct protocol == 6] [ct original ip daddr == 3232248320-3232248575] [ct original proto-dst == 7860] [ct direction == original] accept
filter INPUT -m conntrack --ctstatus ASSURED,CONFIRMED -j ACCEPT => [ct status == assured,confirmed] accept
filter INPUT -m conntrack --ctstatus NONE -j DROP => ?ctstatus NONE drop
filter INPUT -m conntrack --ctexpire 60 -j DROP => ?conntrack ctexpire drop
filter INPUT -m state --state NEW,UNTRACKED -j ACCEPT => [ct state == new,untracked] accept
filter INPUT -m mark --mark 0x1 -j ACCEPT => [meta mark == 1] accept
filter INPUT -m mark ! --mark 0x10/0xff -j ACCEPT => [meta mark & 0xff != 16] accept
filter INPUT -m connmark --mark 0x2/0xf -j ACCEPT => [ct mark & 0xf == 2] accept
filter INPUT -m addrtype --dst-type LOCAL -j ACCEPT => [fib daddr type == local] accept
filter INPUT -m addrtype ! --src-type UNICAST,LOCAL -j DROP => [fib saddr type != unicast,local] drop
filter INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT => [fib daddr . iif type == local] accept
filter INPUT -m iprange --src-range 192.168.50.20-192.168.50.30 -j ACCEPT => [ip saddr == 3232248340-3232248350] accept
filter INPUT -m iprange ! --dst-range 10.0.0.1-10.0.0.9 -j DROP => [ip daddr != 167772161-167772169] drop
filter INPUT -m pkttype --pkt-type unicast -j ACCEPT => [meta pkttype == host] accept
filter INPUT -m mac --mac-source 02:00:00:00:50:20 -j ACCEPT => [ether saddr == 2199023276064] accept
filter INPUT -m ttl --ttl-lt 5 -j DROP => [ip ttl < 5] drop
filter INPUT -m ttl ! --ttl-eq 255 -j DROP => [ip ttl != 255] drop
filter INPUT -m length --length 0:100 -j DROP => [ip length == 0-100] drop
filter INPUT -m limit --limit 3/min --limit-burst 10 -j ACCEPT => ?limit accept
filter INPUT -m hashlimit --hashlimit-above 10/sec --hashlimit-burst 20 --hashlimit-mode srcip --hashlimit-name forge -j DROP => ?hashlimit drop
filter INPUT -m recent --set --name forge --mask 255.255.255.255 --rsource -j ACCEPT => accept
filter INPUT -m recent --update --seconds 30 --hitcount 4 --name forge --mask 255.255.255.255 --rsource -j DROP => ?recent drop
filter INPUT -m recent ! --rcheck --name forge --mask 255.255.255.255 --rsource -j DROP => ?recent drop
filter INPUT -p tcp -m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr -j DROP => [meta l4proto == 6] ?connlimit drop
filter INPUT -m quota --quota 1000 -j ACCEPT => ?quota accept
filter INPUT -m time --timestart 08:00:00 --timestop 18:00:00 --weekdays Mon,Tue -j ACCEPT => ?time accept
filter INPUT -m statistic --mode random --probability 0.50000000000 -j DROP => ?statistic drop
filter INPUT -p tcp -m string --string "-j ACCEPT" --algo bm -j DROP => [meta l4proto == 6] ?string drop
filter INPUT -m u32 --u32 "0x0&0xf000000=0x5000000" -j DROP => ?u32 drop
filter INPUT -m bpf --bytecode "1,6 0 0 0" -j DROP => ?bpf drop
filter INPUT -m helper --helper ftp -j ACCEPT => [ct helper == ftp] accept
filter INPUT -m dscp --dscp 0x2e -j ACCEPT => [ip dscp == 46] accept
filter INPUT -m policy --dir in --pol ipsec -j ACCEPT => [meta secpath == 1] accept
filter INPUT -m policy --dir in --pol ipsec --proto ipcomp -j ACCEPT => [meta secpath == 1] ?policy accept
filter INPUT -m policy --dir in --pol none -j DROP => [meta secpath == 0] drop
filter INPUT -m physdev --physdev-in eth0 -j DROP => ?physdev drop
filter INPUT -m cpu --cpu 1 -j ACCEPT => [meta cpu == 1] accept
filter INPUT -m realm --realm 0x1 -j DROP => ?realm drop
filter INPUT -m connbytes --connbytes 1000 --connbytes-mode bytes --connbytes-dir both -j DROP => ?connbytes drop
filter INPUT -m comment --comment "it's \"quoted\" -p tcp -j ACCEPT" -j DROP => drop
filter INPUT -p tcp -m comment --comment -j -m tcp --dport 22 -j ACCEPT => [meta l4proto == 6] [tcp dport == 22] accept
filter INPUT -j REJECT --reject-with icmp-port-unreachable => reject:port-unreachable
filter INPUT -p tcp -j REJECT --reject-with tcp-reset => [meta l4proto == 6] reject:tcp reset
filter INPUT -j REJECT --reject-with icmp-host-prohibited => reject:host-prohibited
filter INPUT -j REJECT --reject-with icmp-admin-prohibited => reject:admin-prohibited
filter INPUT -j REJECT --reject-with icmp-proto-unreachable => reject:prot-unreachable
filter INPUT -j LOG --log-prefix "-j DROP " --log-level 7 --log-tcp-options =>
filter INPUT -j NFLOG --nflog-prefix drop --nflog-group 5 =>
filter INPUT -j NFQUEUE --queue-num 0 --queue-bypass => ?queue!
filter INPUT -j NFQUEUE --queue-balance 0:3 => ?queue!
filter INPUT -j MARK --set-xmark 0x1/0xff => meta mark=&0xffffff00^1
filter INPUT -p tcp -m tcp --dport 42 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 => [meta l4proto == 6] [tcp dport == 42] [ct state == invalid,untracked] ?SYNPROXY!
filter INPUT -g FORGE => goto:FORGE
filter INPUT -p tcp -j FORGE => [meta l4proto == 6] jump:FORGE
filter INPUT -j RETURN => return
filter INPUT -p tcp -m tcp --dport 9 => [meta l4proto == 6] [tcp dport == 9]
filter OUTPUT -m owner --uid-owner 1000 -j DROP => ?owner drop
filter OUTPUT ! -o lo -j ACCEPT => [oifname != lo] accept
filter FORWARD -m policy --dir out --pol ipsec -j ACCEPT => ?policy accept
mangle PREROUTING -j MARK --set-xmark 0x0/0xfffffffe => meta mark=&0x1^0
mangle PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff00 => ct mark=&0xffff00ff^meta mark&0xff
mangle PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xff => meta mark=&0x0^ct mark&0xff
mangle PREROUTING -j CONNMARK --set-xmark 0x4/0xf => ct mark=&0xfffffff0^4
mangle PREROUTING -m rpfilter --invert -j DROP => [fib saddr . iif oif == missing] drop
mangle PREROUTING -m rpfilter --loose -j ACCEPT => [fib saddr oif != missing] accept
mangle PREROUTING -p tcp -m socket --transparent -j ACCEPT => [meta l4proto == 6] ?socket accept
mangle PREROUTING -p tcp -m tcp --dport 80 -j TPROXY --on-port 7860 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1 => [meta l4proto == 6] [tcp dport == 80] meta mark=&0xfffffffe^1 tproxy:127.0.0.1 7860
mangle PREROUTING -j TTL --ttl-set 64 =>
mangle FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu => [meta l4proto == 6] [tcp flags & 0x6 == 2]
raw PREROUTING -p tcp -m tcp --dport 7860 -j CT --notrack => [meta l4proto == 6] [tcp dport == 7860] notrack
raw PREROUTING -p tcp -m tcp --dport 21 -j CT --zone 5 => [meta l4proto == 6] [tcp dport == 21]
raw PREROUTING -j TRACE =>
nat PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 7860 => [meta l4proto == 6] [tcp dport == 80] redirect: 7860
nat PREROUTING ! -i docker0 -p tcp -m tcp --dport 7860 -j DNAT --to-destination 172.17.0.2:7860 => [iifname != docker0] [meta l4proto == 6] [tcp dport == 7860] dnat:172.17.0.2 7860
nat PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:8000-8010 => [meta l4proto == 6] dnat:10.0.0.1-10.0.0.9 8000-8010
nat PREROUTING -p tcp -j DNAT --to-destination :7860 => [meta l4proto == 6] dnat: 7860
nat PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:1000-2000/3000 => [meta l4proto == 6] ?DNAT!
nat PREROUTING -d 10.9.0.0/16 -j NETMAP --to 10.8.0.0/16 => [ip daddr == 168361984-168427519] ?NETMAP!
nat POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE => [ip saddr == 2886795264-2886860799] [oifname != docker0] masquerade:
nat POSTROUTING -s 10.0.0.0/8 -j SNAT --to-source 192.168.50.10 => [ip saddr == 167772160-184549375] snat:192.168.50.10
"""
_IPV6 = r"""
filter INPUT -s fd00::/8 -p tcp -m tcp --dport 7860 -j ACCEPT => [ip6 saddr == 336294682933583715844663186250927177728-337623910929368631717566993311207522303] [meta l4proto == 6] [tcp dport == 7860] accept
filter INPUT ! -s fe80::/10 -d ff02::fb/128 -p udp -m udp --dport 5353 -j DROP => [ip6 saddr != 338288524927261089654018896841347694592-338620831926207318622244848606417780735] [ip6 daddr == 338963523518870617245727861364146307323] [meta l4proto == 17] [udp dport == 5353] drop
filter INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT => [meta l4proto == 58] [icmpv6 type == 135] [ip6 hoplimit == 255] accept
filter INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1/4 -j ACCEPT => [meta l4proto == 58] [icmpv6 type . icmpv6 code == 1.4] accept
filter INPUT -m rt --rt-type 0 -j DROP => [exthdr rt == 1] ?rt drop
filter INPUT -m rt -j DROP => [exthdr rt == 1] drop
filter INPUT -m frag --fragmore -j DROP => [exthdr frag == 1] ?frag drop
filter INPUT -m hbh -j DROP => [exthdr hbh == 1] drop
filter INPUT -m dst --dst-len 8 -j DROP => [exthdr dst == 1] ?dst drop
filter INPUT -m ah -j DROP => [exthdr ah == 1] drop
filter INPUT -m ipv6header --header hop-by-hop --soft -j DROP => ?ipv6header drop
filter INPUT -m eui64 -j ACCEPT => ?eui64 accept
filter INPUT -m length --length 0:100 -j DROP => ?length drop
filter INPUT -m iprange --src-range fd50::1-fd50::ff -j ACCEPT => [ip6 saddr == 336710066682266502054945625957264785409-336710066682266502054945625957264785663] accept
filter INPUT -m conntrack --ctorigdst fd50::10 -j ACCEPT => [ct original ip6 daddr == 336710066682266502054945625957264785424] accept
filter INPUT -p tcp -j REJECT --reject-with tcp-reset => [meta l4proto == 6] reject:tcp reset
filter INPUT -j REJECT --reject-with icmp6-adm-prohibited => reject:admin-prohibited
filter INPUT -j REJECT --reject-with icmp6-port-unreachable => reject:port-unreachable
filter INPUT -j REJECT --reject-with icmp6-no-route => reject:no-route
mangle PREROUTING -m rpfilter --validmark --invert -j DROP => [fib saddr . mark . iif oif == missing] drop
mangle PREROUTING -j HL --hl-set 64 =>
nat PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd50::2]:7860 => [meta l4proto == 6] [tcp dport == 80] dnat:fd50::2 7860
nat PREROUTING -j DNAT --to-destination fd50::2 => dnat:fd50::2
nat POSTROUTING -j SNAT --to-source fd50::1-fd50::9 => snat:fd50::1-fd50::9
"""


def _rows(text: str) -> list[tuple[str, str, str, str]]:
    """(table, chain, rule, what is made of it)."""
    found = []
    for line in text.strip().split("\n"):
        rule, _, made = line.partition(" => ")
        table, chain, rest = rule.rstrip().removesuffix(" =>").split(" ", 2)
        found.append((table, chain, rest, made.strip()))
    return found


IPV4, IPV6 = _rows(_IPV4), _rows(_IPV6)


def listing(rows: list[tuple[str, str, str, str]], header: str) -> str:
    """A save with those rules."""
    lines = [header]
    for table in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == table]
        lines += [f"*{table}", *(f":{chain} ACCEPT [0:0]" for chain in dict.fromkeys(row[1] for row in mine))]
        lines += [":FORGE - [0:0]", *(f"-A {chain} {rule}" for _, chain, rule, _ in mine), "COMMIT"]
    return "\n".join([*lines, ""])


def shown(statements: tuple[Statement, ...]) -> str:
    """Statements in short."""
    return " ".join(_one(statement) for statement in statements)


def _part(part: Part) -> str:
    return part if isinstance(part, str) else f"{part[0]}" if part[0] == part[1] else f"{part[0]}-{part[1]}"


def _one(statement: Statement) -> str:
    if isinstance(statement, Match):
        mask = "" if statement.mask is None else f" & {statement.mask:#x}"
        elements = ",".join(".".join(_part(part) for part in one) for one in statement.members.elements)
        values = f"@{statement.named}" if statement.named else elements
        return f"[{' . '.join(statement.fields)}{mask} {statement.op} {values}]"
    if isinstance(statement, Unknown):
        return f"?{statement.construct}{'!' if statement.anything else ''}"
    if isinstance(statement, Verdict):
        return f"{statement.kind}:{statement.target}" if statement.target else statement.kind
    if isinstance(statement, Translate):
        last, port = f"-{statement.last}" if statement.last else "", _part(statement.port) if statement.port else ""
        return f"{statement.kind}:{statement.address}{last} {port}".strip()
    if isinstance(statement, SetField):
        value = f"{statement.source}&{statement.source_mask:#x}" if statement.source else f"{statement.value}"
        return f"{statement.field}=&{statement.keep:#x}^{value}"
    return "notrack"
