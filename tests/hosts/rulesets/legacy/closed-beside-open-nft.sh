# shows: the legacy engine drops while iptables-nft accepts; both are in force
# probes: lan4 lan4b lan6
iptables-nft -A INPUT -p tcp --dport 7860 -j ACCEPT
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
iptables-legacy -A INPUT -s 192.168.50.200 -p tcp -m tcp --dport 7860 -j ACCEPT
