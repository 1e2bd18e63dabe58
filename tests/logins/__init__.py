"""Small APIs that differ in how one logs in, and scans of them."""
