"""Whether items are as a target asks, and what to do where they are not."""
