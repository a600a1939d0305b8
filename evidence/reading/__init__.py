"""Evidence for people: a bundle as a timeline, and two bundles as what changed between them."""
