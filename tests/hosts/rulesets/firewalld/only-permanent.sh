# shows: stored for good and not loaded; the running zone still rejects
# probes: lan4 lan6 lan4:22
# listen: 0.0.0.0:7860 [::]:7860 0.0.0.0:22
firewall-cmd -q --permanent --add-port=7860/tcp
