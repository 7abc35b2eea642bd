# shows: the zone of a source wins over the zone of its interface
# probes: lan4 lan4b far4 lan6
firewall-cmd -q --zone=public --add-port=7860/tcp
firewall-cmd -q --zone=block --add-source=192.168.50.200
firewall-cmd -q --zone=drop --add-source=203.0.113.0/24
