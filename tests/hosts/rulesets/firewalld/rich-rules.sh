# shows: rich rules with priorities, families and kinds of reject
# probes: lan4 lan4b far4 wifi4 lan6 lan6b
firewall-cmd -q --add-rich-rule='rule family="ipv4" source address="192.168.50.0/24" port port="7860" protocol="tcp" accept'
firewall-cmd -q --add-rich-rule='rule priority="-10" family="ipv4" source address="192.168.50.200" reject type="tcp-reset"' || \
    firewall-cmd -q --add-rich-rule='rule priority="-10" family="ipv4" source address="192.168.50.200" drop'
firewall-cmd -q --add-rich-rule='rule priority="10" family="ipv4" source address="203.0.113.0/24" reject type="icmp-port-unreachable"'
firewall-cmd -q --add-rich-rule='rule family="ipv6" source address="fd50::20" port port="7860" protocol="tcp" accept'
firewall-cmd -q --add-rich-rule='rule family="ipv6" source NOT address="fd50::20" port port="7860" protocol="tcp" drop'
