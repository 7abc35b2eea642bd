# shows: a zone whose target is DROP: what is not allowed is silent; set for good and reloaded
# probes: lan4 lan4:22 lan6 wifi4
# listen: 0.0.0.0:7860 [::]:7860 0.0.0.0:22
firewall-cmd -q --permanent --zone=public --set-target=DROP
firewall-cmd -q --permanent --zone=public --add-rich-rule='rule family="ipv4" source address="192.168.61.0/24" accept'
firewall-cmd -q --reload
