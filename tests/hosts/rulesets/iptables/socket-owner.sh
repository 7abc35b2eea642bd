# shows: answers are dropped by who owns the socket
# undecidable: owner
# probes: lan4
iptables-nft -A OUTPUT -p tcp --sport 7860 -m owner --uid-owner 4711 -j DROP
