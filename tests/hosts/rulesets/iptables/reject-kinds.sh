# shows: every kind of REJECT, and what the client hears
# probes: lan4 lan4:81 lan4:82 lan4:83 lan4:84 lan4:85 lan4:86 lan4:87
iptables-nft -A INPUT -p tcp --dport 7860 -j REJECT --reject-with icmp-net-unreachable
iptables-nft -A INPUT -p tcp --dport 81 -j REJECT --reject-with icmp-host-unreachable
iptables-nft -A INPUT -p tcp --dport 82 -j REJECT --reject-with icmp-proto-unreachable
iptables-nft -A INPUT -p tcp --dport 83 -j REJECT
iptables-nft -A INPUT -p tcp --dport 84 -j REJECT --reject-with icmp-net-prohibited
iptables-nft -A INPUT -p tcp --dport 85 -j REJECT --reject-with icmp-host-prohibited
iptables-nft -A INPUT -p tcp --dport 86 -j REJECT --reject-with icmp-admin-prohibited
iptables-nft -A INPUT -p tcp --dport 87 -j REJECT --reject-with tcp-reset
