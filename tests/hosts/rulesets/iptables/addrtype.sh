# shows: whether the destination is local decides a redirect, and whether the source is a broadcast one nothing
# probes: lan4 lan4:80 lan4>172.17.0.2:80 wifi4
# listen: 0.0.0.0:7860 container=0.0.0.0:7860
iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 80 -j REDIRECT --to-ports 7860
iptables-nft -A INPUT -m addrtype --src-type BROADCAST,MULTICAST -j DROP
iptables-nft -A INPUT -i wlan0 -m addrtype ! --dst-type BROADCAST --limit-iface-in -j DROP
iptables-nft -A FORWARD -m addrtype --dst-type UNICAST -p tcp --dport 80 -j REJECT --reject-with icmp-host-prohibited
