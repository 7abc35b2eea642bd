# shows: multiport, iprange and a negated interface
# probes: lan4 lan4:80 lan4b far4 wifi4 lan6
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-nft -A INPUT ! -i eth0 -p tcp -m multiport --dports 22,7000:7900 -j REJECT --reject-with icmp-port-unreachable
iptables-nft -A INPUT -p tcp -m iprange --src-range 192.168.50.10-192.168.50.99 -m multiport --ports 80,7860:7869 -j ACCEPT
iptables-nft -A INPUT -p tcp -m iprange ! --src-range 192.168.50.0-203.0.113.10 -m tcp --dport 7860 -j REJECT --reject-with tcp-reset
