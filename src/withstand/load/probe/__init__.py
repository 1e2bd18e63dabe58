"""Looks at the server beside a load: its memory, descriptors, threads and CPU time."""
