"""Which sentence drove the sentiment of a text, and which each of its topics."""
