# shows: an ipset that a rule fills: a second connection meets what the first left
# undecidable: set
# probes: lan4 lan4b
ipset create seen hash:ip timeout 60
iptables-nft -A INPUT -s 192.168.50.200 -p tcp --dport 7860 -j ACCEPT
iptables-nft -A INPUT -p tcp --dport 7860 -m set --match-set seen src -j REJECT
iptables-nft -A INPUT -p tcp --dport 22 -j SET --add-set seen src --exist
