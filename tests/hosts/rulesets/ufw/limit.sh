# shows: ufw limit counts connections; the first ones pass
# undecidable: ufw's limit
# probes: lan4 lan6 lan4:22
# listen: 0.0.0.0:7860 [::]:7860 0.0.0.0:22
ufw limit 7860/tcp
ufw allow 22/tcp
ufw --force enable
