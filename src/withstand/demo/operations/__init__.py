"""The API's operations, one file for each part of the shop."""
