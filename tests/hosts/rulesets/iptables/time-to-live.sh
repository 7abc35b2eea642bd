# shows: how far the client is
# undecidable: ttl
# probes: lan4
iptables-nft -A INPUT -p tcp --dport 7860 -m ttl --ttl-lt 65 -j DROP
