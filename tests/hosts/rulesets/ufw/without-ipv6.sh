# shows: IPV6=no: IPv6 is let in only on loopback, IPv4 by its rule
# probes: lan4 lan4b lan6
echo IPV6=no >>/etc/default/ufw
ufw allow from 192.168.50.20 to any port 7860
ufw --force enable
