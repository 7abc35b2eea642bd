# shows: only translated connections may enter
# probes: lan4:80 lan4 wifi4:80 lan4:81
iptables-nft -t nat -A PREROUTING -i eth0 -p tcp --dport 80 -j REDIRECT --to-ports 7860
iptables-nft -t nat -A PREROUTING -p tcp --dport 81 -j DNAT --to-destination 192.168.50.10:7860
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -m conntrack --ctorigdstport 81 -j REJECT --reject-with icmp-host-prohibited
iptables-nft -A INPUT -m conntrack --ctstate DNAT -j ACCEPT
iptables-nft -A INPUT -m conntrack --ctstatus SEEN_REPLY -j ACCEPT
