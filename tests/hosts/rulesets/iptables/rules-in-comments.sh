# shows: comments and prefixes that read like rules, quotes and all
# probes: lan4 lan4b
iptables-nft -A INPUT -s 192.168.50.20 -p tcp --dport 22 -m comment --comment '-j DROP -p tcp --dport 7860' -j ACCEPT
iptables-nft -A INPUT -s 192.168.50.20 -m comment --comment "it's \"quoted\" -j REJECT" -j LOG --log-prefix "-j DROP "
iptables-nft -A INPUT -s 192.168.50.200 -m comment --comment 'COMMIT' -j NFLOG --nflog-prefix '*filter'
iptables-nft -A INPUT -s 192.168.50.200 -m comment --comment '! -s 192.168.50.200' -j REJECT
