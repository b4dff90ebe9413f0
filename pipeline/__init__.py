"""Klang: what Nordic customers are saying, from reviews, mail and tickets to a warehouse and alerts."""
