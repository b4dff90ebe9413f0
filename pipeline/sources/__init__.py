"""Sources: one small file for each kind, which yields pages of raw items and turns an item into drafts."""
