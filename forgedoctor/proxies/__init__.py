"""What is known of reverse proxies: nginx's configuration read as nginx reads it, and one that suits a launch. Pure."""
