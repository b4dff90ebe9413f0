"""Training of Klang's own model. Each step is one command; models/train/README.md gives the order."""
