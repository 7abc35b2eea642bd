"""What firewalls do with a connection: rulesets read into one model, and walked as the kernel walks them."""
