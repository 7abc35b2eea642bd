# shows: tables of iptables-nft and a native table filter together; the native one decides for one client
# probes: lan4 lan4b far4 lan6
iptables-nft -A INPUT -s 192.168.50.200 -p tcp -m tcp --dport 7860 -j REJECT --reject-with tcp-reset
iptables-nft -A INPUT -s 192.168.50.20 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
nft add table inet mine
nft -f - <<'END'
table inet mine {
	chain input {
		type filter hook input priority filter + 5; policy accept;
		ip saddr 203.0.113.0/24 drop
		ip saddr 192.168.50.20 tcp dport 7860 reject
		ip6 saddr fd50::20 tcp dport 7860 reject with icmpv6 type admin-prohibited
	}
}
END
