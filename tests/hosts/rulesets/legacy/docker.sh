# shows: a published port of a container in the legacy engine
# listen: container=0.0.0.0:7860
# probes: lan4 lan4b wifi4 lan4>172.17.0.2:7860
iptables-legacy -P FORWARD DROP
iptables-legacy -P INPUT DROP
iptables-legacy -N DOCKER
iptables-legacy -N DOCKER-USER
iptables-legacy -A FORWARD -j DOCKER-USER
iptables-legacy -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-legacy -A FORWARD -o docker0 -j DOCKER
iptables-legacy -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables-legacy -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 7860 -j ACCEPT
iptables-legacy -A DOCKER-USER -i wlan0 -o docker0 -j REJECT --reject-with icmp-port-unreachable
iptables-legacy -A DOCKER-USER -s 192.168.50.128/25 -j DROP
iptables-legacy -t nat -N DOCKER
iptables-legacy -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables-legacy -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 7860 -j DNAT --to-destination 172.17.0.2:7860
