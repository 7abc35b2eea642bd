# shows: ufw route opens the forward chain to the container; its port on the host is another thing
# listen: 0.0.0.0:7860 container=0.0.0.0:7860
# probes: lan4 lan4>172.17.0.2:7860 lan4b>172.17.0.2:7860 wifi4>172.17.0.2:7860
ufw route allow in on eth0 out on docker0 to 172.17.0.2 port 7860 proto tcp from 192.168.50.0/25
ufw route reject in on wlan0 out on docker0
ufw --force enable
