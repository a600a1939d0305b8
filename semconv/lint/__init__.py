"""Looking at a user's profiles: every defect the reader refuses, and what it takes but cannot be meant."""
