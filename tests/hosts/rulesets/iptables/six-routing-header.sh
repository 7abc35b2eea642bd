# shows: a match on a header that is not there does not hold; reject kinds of IPv6
# probes: lan6 lan6b lan6:81 lan6:82 lan6:83
ip6tables-nft -A INPUT -m rt --rt-type 0 -j DROP
ip6tables-nft -A INPUT -m frag --fragid 0:4294967295 --fragmore -j DROP
ip6tables-nft -A INPUT -s fd50::200 -p tcp --dport 7860 -j REJECT --reject-with icmp6-no-route
ip6tables-nft -A INPUT -p tcp --dport 81 -j REJECT --reject-with icmp6-addr-unreachable
ip6tables-nft -A INPUT -p tcp --dport 82 -j REJECT --reject-with icmp6-port-unreachable
ip6tables-nft -A INPUT -p tcp --dport 83 -j REJECT --reject-with tcp-reset
