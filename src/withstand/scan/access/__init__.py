"""Who may have what: the scan's own users and objects, whose they are, who is given them."""
