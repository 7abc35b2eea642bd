# shows: ip6tables lets all ICMPv6 in and tells its clients apart
# probes: lan6 lan6b
ip6tables-nft -P INPUT DROP
ip6tables-nft -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
ip6tables-nft -A INPUT -s fd50::20/128 -p tcp -m tcp --dport 7860 -j ACCEPT
ip6tables-nft -A INPUT -s fd50::200/128 -p tcp -j REJECT --reject-with icmp6-adm-prohibited
