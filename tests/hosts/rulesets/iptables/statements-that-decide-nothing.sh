# shows: targets after which the next rule follows
# probes: lan4 lan4b
iptables-nft -t mangle -A PREROUTING -p tcp --syn -j TCPMSS --set-mss 1200
iptables-nft -t mangle -A PREROUTING -j DSCP --set-dscp 8
iptables-nft -t mangle -A PREROUTING -j TTL --ttl-set 42
iptables-nft -t mangle -A POSTROUTING -j CLASSIFY --set-class 1:1
iptables-nft -A INPUT -j LOG
iptables-nft -A INPUT -s 192.168.50.200
iptables-nft -A INPUT -s 192.168.50.200 -p tcp --dport 7860 -j DROP
