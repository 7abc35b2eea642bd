# shows: ports forwarded to another port here, and to the container
# listen: 0.0.0.0:7860 container=0.0.0.0:7861
# probes: lan4:80 lan4 lan4:81 far4:81
firewall-cmd -q --add-forward-port=port=80:proto=tcp:toport=7860
firewall-cmd -q --add-forward-port=port=81:proto=tcp:toport=7861:toaddr=172.17.0.2
firewall-cmd -q --add-masquerade
