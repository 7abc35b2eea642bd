# shows: the beginner's firewall: new connections to the port, and no rule for the rest of them
# probes: lan4 lan4:9999 wifi4
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -i lo -j ACCEPT
iptables-nft -A INPUT -i eth0 -p tcp --dport 7860 -m conntrack --ctstate NEW -j ACCEPT
iptables-nft -A INPUT -i wlan0 -p tcp --dport 7860 --syn -j ACCEPT
iptables-nft -A INPUT -p tcp --dport 9999 -m conntrack --ctstate NEW -j ACCEPT
