# shows: the sender's hardware address is not in the rules
# undecidable: ether saddr
# probes: lan4
iptables-nft -A INPUT -p tcp --dport 7860 -m mac ! --mac-source 02:00:5E:10:00:02 -j DROP
