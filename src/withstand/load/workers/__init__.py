"""One load from several processes and machines, which begin together."""
