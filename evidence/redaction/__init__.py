"""What is withheld before anything is hashed, the commitment that stands in its place, and what discloses it later."""
