# shows: rules for one interface, and one inserted before the others
# probes: lan4 lan4b wifi4 lan6 far4
ufw allow in on eth0 to any port 7860 proto tcp
ufw reject in on wlan0
ufw insert 1 deny from 192.168.50.200
ufw prepend reject from fd50::20 to any port 7860
ufw --force enable
