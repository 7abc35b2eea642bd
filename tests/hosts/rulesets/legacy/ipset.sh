# shows: an ipset used by the legacy engine
# probes: lan4 lan4b wifi4
ipset create allowed hash:ip,port,net
ipset add allowed 192.168.50.20,tcp:7860,192.168.50.0/24
ipset create nets hash:net,iface
ipset add nets 192.168.61.0/24,wlan0
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -m set --match-set nets src,src -p tcp -j REJECT
iptables-legacy -A INPUT -m set --match-set allowed src,dst,dst -j ACCEPT
