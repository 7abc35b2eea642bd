# shows: networks in an ipset, with an exception, inside a list of sets
# probes: lan4 lan4b far4 wifi4
ipset create home hash:net
ipset add home 192.168.50.0/24
ipset add home 192.168.50.200 nomatch
ipset create away hash:net
ipset add away 203.0.113.0/28
ipset create friends list:set
ipset add friends home
ipset create empty hash:ip
iptables-nft -A INPUT -m set --match-set empty src -j DROP
iptables-nft -A INPUT -p tcp -m set --match-set friends src -j ACCEPT
iptables-nft -A INPUT -p tcp -m set ! --match-set away src -m tcp --dport 7860 -j REJECT
iptables-nft -A INPUT -s 203.0.113.0/24 -j DROP
