# shows: ACCEPT in one table does not skip the next: mangle drops what filter would take
# probes: lan4 lan4b far4 wifi4
iptables-nft -t raw -A PREROUTING -s 192.168.50.20 -j ACCEPT
iptables-nft -t mangle -A PREROUTING -s 192.168.50.20 -p tcp --dport 7860 -j DROP
iptables-nft -t mangle -A INPUT -s 192.168.50.200 -j DROP
iptables-nft -t security -A INPUT -i wlan0 -j DROP
iptables-nft -A INPUT -p tcp --dport 7860 -j ACCEPT
