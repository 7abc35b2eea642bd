# shows: panic mode: nothing comes in or goes out, whatever the zones say
# probes: lan4 lan6
firewall-cmd -q --add-port=7860/tcp
firewall-cmd -q --panic-on
