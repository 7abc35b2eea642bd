# shows: ip6tables lets the port in and forgets neighbour discovery
# probes: lan6 lan4
ip6tables-nft -P INPUT DROP
ip6tables-nft -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT
ip6tables-nft -A INPUT -p tcp --dport 7860 -j ACCEPT
