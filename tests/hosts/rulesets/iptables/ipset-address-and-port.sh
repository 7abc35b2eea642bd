# shows: address and port together in an ipset, and ports alone in a bitmap
# probes: lan4 lan4b lan4b:7861 far4
# listen: 0.0.0.0:7860 0.0.0.0:7861
ipset create pairs hash:ip,port
ipset add pairs 192.168.50.20,tcp:7860
ipset add pairs 192.168.50.200,tcp:7861-7862
ipset create udp_only hash:ip,port
ipset add udp_only 203.0.113.20,udp:7860
ipset create ports bitmap:port range 7000-8000
ipset add ports 7860-7869
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
iptables-nft -A INPUT -m set --match-set pairs src,dst -j ACCEPT
iptables-nft -A INPUT -m set --match-set udp_only src,dst -j ACCEPT
iptables-nft -A INPUT -p tcp -m set --match-set ports dst -s 192.168.50.200 -j REJECT --reject-with tcp-reset
