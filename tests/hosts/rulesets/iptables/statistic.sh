# shows: every second packet
# undecidable: statistic
# probes: lan4 lan4b
iptables-nft -A INPUT -s 192.168.50.20 -p tcp --syn -m statistic --mode nth --every 2 --packet 0 -j DROP
