# shows: so many connections of one source at a time
# undecidable: connlimit
# probes: lan4 lan4b
iptables-nft -A INPUT -p tcp --syn --dport 7860 -m connlimit --connlimit-above 2 --connlimit-mask 32 -j REJECT --reject-with tcp-reset
