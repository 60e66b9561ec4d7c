"""Private broker nodes for tests; scripts/brokers is the command."""
