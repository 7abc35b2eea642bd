# shows: what counts as a first packet: --syn, masks of flags, and a new connection without SYN
# probes: lan4 lan4b far4
iptables-nft -N scans
iptables-nft -A scans -j DROP
iptables-nft -A INPUT -p tcp --tcp-flags ALL NONE -j scans
iptables-nft -A INPUT -p tcp --tcp-flags SYN,FIN SYN,FIN -j scans
iptables-nft -A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j scans
iptables-nft -A INPUT -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -s 192.168.50.200 -j REJECT --reject-with icmp-net-unreachable
iptables-nft -A INPUT -p tcp --tcp-flags ALL SYN -s 203.0.113.0/24 -g scans
iptables-nft -A INPUT -p tcp --syn -j ACCEPT
