"""What browsers are told beside the answer."""
