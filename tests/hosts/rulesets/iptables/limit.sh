# shows: so many a minute; who exceeds that falls to the policy
# undecidable: limit
# probes: lan4 lan4b
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -s 192.168.50.20 -p tcp --dport 7860 -m limit --limit 3/min --limit-burst 2 -j ACCEPT
iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
