# shows: DOCKER-USER restricts a published port by the port before translation, and a source by its range
# listen: container=0.0.0.0:7860 container=0.0.0.0:9000
# probes: lan4:8080 lan4b:8080 far4:8080 wifi4:8080 lan4:9000 far4:9000
iptables-nft -P FORWARD DROP
iptables-nft -N DOCKER
iptables-nft -N DOCKER-USER
iptables-nft -A FORWARD -j DOCKER-USER
iptables-nft -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-nft -A FORWARD -o docker0 -j DOCKER
iptables-nft -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables-nft -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 7860 -j ACCEPT
iptables-nft -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 9000 -j ACCEPT
iptables-nft -A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
iptables-nft -A DOCKER-USER -i eth0 -p tcp --dport 8080 -j DROP
iptables-nft -A DOCKER-USER -i wlan0 -p tcp -m conntrack --ctorigdstport 8080 -j REJECT --reject-with icmp-host-unreachable
iptables-nft -A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL -m iprange ! --src-range 192.168.50.1-192.168.50.127 -j DROP
iptables-nft -A DOCKER-USER -j RETURN
iptables-nft -t nat -N DOCKER
iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables-nft -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:7860
iptables-nft -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 9000 -j DNAT --to-destination 172.17.0.2:9000
