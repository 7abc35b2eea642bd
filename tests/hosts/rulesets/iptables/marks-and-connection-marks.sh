# shows: a connection's mark is set, saved and restored under masks, and decides in another table
# probes: lan4 lan4b wifi4
iptables-nft -t mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff
iptables-nft -t mangle -A PREROUTING -m mark ! --mark 0x0/0xff -j RETURN
iptables-nft -t mangle -A PREROUTING -s 192.168.50.20 -j MARK --set-xmark 0x1/0xff
iptables-nft -t mangle -A PREROUTING -s 192.168.50.200 -j MARK --or-mark 0x102
iptables-nft -t mangle -A PREROUTING -j CONNMARK --save-mark
iptables-nft -A INPUT -m connmark --mark 0x1/0xf -j ACCEPT
iptables-nft -A INPUT -p tcp -m mark --mark 0x100/0x100 -m connmark ! --mark 0x0 -j REJECT --reject-with tcp-reset
iptables-nft -A INPUT -p tcp -m mark --mark 0x0 -j DROP
