"""From what a vendor or a mail server delivered to the customer's own words. No module here does I/O."""
