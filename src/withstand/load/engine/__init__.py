"""Sends requests and keeps the books: the event loop, its connections and users."""
