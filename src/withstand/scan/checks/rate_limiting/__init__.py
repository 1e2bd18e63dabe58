"""How often they may ask."""
