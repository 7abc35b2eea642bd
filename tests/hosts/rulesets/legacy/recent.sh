# shows: the recent match of the legacy engine
# undecidable: recent
# probes: lan4
iptables-legacy -A INPUT -p tcp --dport 7860 -m recent --name guests --rcheck -j DROP
