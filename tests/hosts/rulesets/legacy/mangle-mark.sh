# shows: a mark set in mangle decides in filter, the raw table drops one client before
# probes: lan4 lan4b far4 wifi4
iptables-legacy -t raw -A PREROUTING -s 203.0.113.0/24 -j DROP
iptables-legacy -t mangle -A PREROUTING -s 192.168.50.0/25 -j MARK --set-mark 0x30
iptables-legacy -t mangle -A PREROUTING -i wlan0 -j MARK --set-xmark 0x10/0xffffffff
iptables-legacy -A INPUT -m mark --mark 0x20/0x20 -j ACCEPT
iptables-legacy -A INPUT -m mark --mark 0x10/0x10 -j REJECT --reject-with icmp-host-unreachable
iptables-legacy -A INPUT -p tcp --dport 7860 -j REJECT --reject-with tcp-reset
