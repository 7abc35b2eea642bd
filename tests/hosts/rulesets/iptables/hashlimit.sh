# shows: a limit for each source
# undecidable: hashlimit
# probes: lan4 lan4b
iptables-nft -A INPUT -p tcp --dport 7860 -m hashlimit --hashlimit-above 1/minute --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name forge -j DROP
