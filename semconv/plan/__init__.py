"""Plans: what to do with every item of one shape, made once a shape and carried out per item."""
