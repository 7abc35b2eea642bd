# shows: -g does not come back; RETURN in a built-in chain is its policy
# probes: lan4 lan4b far4 wifi4
iptables-nft -P INPUT DROP
iptables-nft -N wired
iptables-nft -N known
iptables-nft -N refuse
iptables-nft -A INPUT -i wlan0 -j RETURN
iptables-nft -A INPUT -i eth0 -g wired
iptables-nft -A INPUT -j ACCEPT
iptables-nft -A wired -m conntrack --ctstate NEW -j known
iptables-nft -A wired -s 192.168.50.200 -j refuse
iptables-nft -A wired -s 203.0.113.0/24 -g refuse
iptables-nft -A wired -m conntrack --ctstate ESTABLISHED -j ACCEPT
iptables-nft -A known -s 192.168.50.20 -p tcp -j ACCEPT
iptables-nft -A refuse -d 192.168.50.10 -s 192.168.50.0/24 -j REJECT --reject-with tcp-reset -p tcp
