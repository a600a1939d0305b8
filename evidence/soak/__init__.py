"""The same runs judged again and again, under seeded faults: reliability as evidence."""
