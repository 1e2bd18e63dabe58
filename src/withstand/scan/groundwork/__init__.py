"""What stands before any verdict: identities, and a request per operation that works."""
