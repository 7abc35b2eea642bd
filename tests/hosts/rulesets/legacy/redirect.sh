# shows: a redirect in the legacy engine's nat table, the filter sees the new port
# probes: lan4:80 lan4 wifi4:80
iptables-legacy -t nat -A PREROUTING -i eth0 -p tcp --dport 80 -j REDIRECT --to-ports 7860
iptables-legacy -A INPUT -p tcp --dport 80 -j DROP
iptables-legacy -A INPUT -m conntrack --ctstate DNAT -j ACCEPT
iptables-legacy -A INPUT -p tcp --dport 7860 -j REJECT
