# shows: OUTPUT lets the handshake's answer through and drops what carries data
# probes: lan4 lan4b
iptables-nft -A OUTPUT -d 192.168.50.20 -p tcp --sport 7860 --tcp-flags PSH PSH -j DROP
iptables-nft -A OUTPUT -d 192.168.50.200 -p tcp --sport 7860 --tcp-flags SYN,ACK SYN,ACK -j DROP
