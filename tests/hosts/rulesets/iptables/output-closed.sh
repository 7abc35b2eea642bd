# shows: the answer needs a rule of its own in OUTPUT
# probes: lan4 lan4b wifi4
iptables-nft -P OUTPUT DROP
iptables-nft -A OUTPUT -d 192.168.50.20 -p tcp -m tcp --sport 7860 --dport 1024:65535 -m conntrack --ctstate ESTABLISHED -j ACCEPT
iptables-nft -A OUTPUT -d 192.168.50.200 -m conntrack --ctstate NEW -j ACCEPT
iptables-nft -A OUTPUT -o wlan0 -p tcp --tcp-flags SYN,ACK SYN,ACK -j ACCEPT
iptables-nft -A OUTPUT -o wlan0 -p tcp --tcp-flags ALL ACK,PSH -j ACCEPT
