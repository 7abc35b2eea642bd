# shows: user chains, -g, iprange and multiport of the legacy engine
# probes: lan4 lan4b far4 wifi4
iptables-legacy -N wired
iptables-legacy -N end
iptables-legacy -A INPUT -i eth+ -g wired
iptables-legacy -A INPUT -p tcp -m multiport --dports 80,443,7860 -j REJECT --reject-with icmp-admin-prohibited
iptables-legacy -A wired -m iprange --src-range 192.168.50.2-192.168.50.30 -j RETURN
iptables-legacy -A wired -s 192.168.50.0/24 -j end
iptables-legacy -A wired -s 203.0.113.0/24 -j end
iptables-legacy -A end -s 203.0.113.0/24 -j RETURN
iptables-legacy -A end -p tcp --syn -j REJECT --reject-with tcp-reset
