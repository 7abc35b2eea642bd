# shows: ip6tables with neighbour discovery by type: being asked is let in, being answered is not
# probes: lan6 lan4
ip6tables-nft -P INPUT DROP
ip6tables-nft -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type neighbour-solicitation -m hl --hl-eq 255 -j ACCEPT
ip6tables-nft -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type echo-request -j ACCEPT
ip6tables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
ip6tables-nft -A INPUT -s fd50::20/128 -p tcp -m tcp --dport 7860 -j ACCEPT
