"""Who is asking: credentials that are missing, forged, expired or made up."""
