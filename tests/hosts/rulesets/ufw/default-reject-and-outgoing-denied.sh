# shows: incoming rejected by default, outgoing denied by default; answers pass all the same
# probes: lan4 lan4b lan4:9999 lan6
ufw default reject incoming
ufw default deny outgoing
ufw allow proto tcp from 192.168.50.20 to 192.168.50.10 port 7000:7900
ufw --force enable
