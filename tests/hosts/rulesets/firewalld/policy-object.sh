# shows: a policy object between zones opens the way to the container's zone
# listen: container=0.0.0.0:7860
# probes: lan4>172.17.0.2:7860 wifi4>172.17.0.2:7860
firewall-cmd -q --permanent --new-zone=boxes
firewall-cmd -q --permanent --zone=boxes --add-interface=docker0
firewall-cmd -q --permanent --zone=home --add-interface=eth0
firewall-cmd -q --permanent --new-policy=to-boxes
firewall-cmd -q --permanent --policy=to-boxes --add-ingress-zone=home
firewall-cmd -q --permanent --policy=to-boxes --add-egress-zone=boxes
firewall-cmd -q --permanent --policy=to-boxes --add-port=7860/tcp
firewall-cmd -q --reload
