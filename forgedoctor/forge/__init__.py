"""What is known of Forge and its relatives: flags, releases, launcher scripts, and what a command line will do."""
