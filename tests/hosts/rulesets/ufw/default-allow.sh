# shows: incoming allowed by default, one port denied, one address rejected
# probes: lan4 lan4:7861 lan4b:7861 lan6:7861 lan6
# listen: 0.0.0.0:7860 [::]:7860 0.0.0.0:7861 [::]:7861
ufw default allow incoming
ufw deny 7860/tcp
ufw reject from 192.168.50.200 to any port 7861 proto tcp
ufw logging high
ufw --force enable
