# shows: a port that Docker publishes goes past ufw, which denies it
# listen: container=0.0.0.0:7860
# probes: lan4 wifi4 lan4:7861
ufw deny 7860/tcp
ufw --force enable
iptables-nft -N DOCKER
iptables-nft -I FORWARD -o docker0 -j DOCKER
iptables-nft -I FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables-nft -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 7860 -j ACCEPT
iptables-nft -t nat -N DOCKER
iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables-nft -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 7860 -j DNAT --to-destination 172.17.0.2:7860
