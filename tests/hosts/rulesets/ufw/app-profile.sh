# shows: an application profile with ports of its own, allowed by its name for some
# listen: 0.0.0.0:7860 [::]:7860 0.0.0.0:7869
# probes: lan4 lan4:7869 far4 lan6
cat >/etc/ufw/applications.d/forge <<'END'
[Forge]
title=Stable Diffusion WebUI Forge
description=Images; allow 1/tcp
ports=7860:7869/tcp|1900/udp
END
ufw app update Forge
ufw allow from 192.168.50.0/24 to any app Forge comment 'deny 7860/tcp'
ufw --force enable
