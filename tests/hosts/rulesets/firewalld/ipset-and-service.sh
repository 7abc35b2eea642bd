# shows: sources in an ipset belong to a zone that has a service of its own
# probes: lan4 lan4b far4 lan6
firewall-cmd -q --permanent --new-service=forge
firewall-cmd -q --permanent --service=forge --add-port=7860-7869/tcp
firewall-cmd -q --permanent --new-ipset=friends --type=hash:net
firewall-cmd -q --permanent --ipset=friends --add-entry=192.168.50.128/25
firewall-cmd -q --permanent --zone=internal --add-source=ipset:friends
firewall-cmd -q --permanent --zone=internal --add-service=forge
firewall-cmd -q --reload
