# shows: switched off again: its rules are kept in files and its chains stay, none in force
# probes: lan4 lan6
ufw deny 7860
ufw --force enable
ufw --force disable
