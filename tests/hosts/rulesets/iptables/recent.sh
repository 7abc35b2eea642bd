# shows: too many new connections within some seconds
# undecidable: recent
# probes: lan4 lan4b
iptables-nft -A INPUT -p tcp -m tcp --dport 7860 -m conntrack --ctstate NEW -m recent --set --name forge
iptables-nft -A INPUT -p tcp -m tcp --dport 7860 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 4 --name forge -j DROP
iptables-nft -A INPUT -s 192.168.50.200 -j REJECT --reject-with icmp-admin-prohibited
