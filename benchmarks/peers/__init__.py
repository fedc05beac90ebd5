"""What a user might pick instead, on the same tables; servers in Node stand in folders with their pinned packages."""
