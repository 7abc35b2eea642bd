# shows: the legacy engine accepts while a native nft table rejects one client
# probes: lan4 lan4b far4
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -p tcp -m tcp --dport 7860 -j ACCEPT
iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
nft add table ip t
nft 'add chain ip t in { type filter hook input priority 100; policy accept; }'
nft add rule ip t in ip saddr 192.168.50.20 tcp dport 7860 reject with tcp reset
nft add rule ip t in ip saddr 203.0.113.20 drop
