# shows: each interface has a zone of its own: one trusts, one has a service
# probes: lan4 lan4:9999 wifi4 wifi4:22 lan6
# listen: 0.0.0.0:7860 [::]:7860 0.0.0.0:22
firewall-cmd -q --zone=trusted --change-interface=eth0
firewall-cmd -q --zone=work --change-interface=wlan0
