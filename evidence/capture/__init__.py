"""What the events of a part tell of what was not captured: capture health, by counter."""
