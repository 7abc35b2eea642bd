# shows: ip6tables-legacy closes IPv6, one source apart; IPv4 has no rules at all
# probes: lan4 lan6 lan6b
ip6tables-legacy -P INPUT DROP
ip6tables-legacy -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables-legacy -A INPUT -s fd50::200 -p tcp --dport 7860 -j ACCEPT
ip6tables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
