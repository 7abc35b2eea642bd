# shows: the raw table leaves packets untracked, the filter tables ask for that
# probes: lan4 lan4b wifi4 lan6
iptables-nft -t raw -A PREROUTING -i eth0 -p tcp --dport 7860 -j CT --notrack
iptables-nft -t raw -A OUTPUT -d 192.168.50.0/25 -p tcp --sport 7860 -j CT --notrack
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT
iptables-nft -A OUTPUT -p tcp --sport 7860 -m conntrack ! --ctstate UNTRACKED -j DROP
ip6tables-nft -t raw -A PREROUTING -p tcp --dport 7860 -j DROP
