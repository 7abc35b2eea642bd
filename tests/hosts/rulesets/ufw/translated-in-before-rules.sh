# shows: a nat table written into before.rules by hand sends port 80 to the real one
# probes: lan4:80 lan4 lan4b:80
cat >>/etc/ufw/before.rules <<'END'
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -s 192.168.50.0/25 -p tcp --dport 80 -j REDIRECT --to-port 7860
COMMIT
END
ufw allow from 192.168.50.0/26 to any port 7860 proto tcp
ufw deny 80/tcp
ufw --force enable
