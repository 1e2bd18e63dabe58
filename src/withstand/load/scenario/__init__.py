"""What is sent without a script: calls with weights, templates, feeds, expectations."""
