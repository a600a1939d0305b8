"""Many bundles at once: folders, processes, rows of results, and the chain between them."""
