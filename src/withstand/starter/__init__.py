"""What `withstand init` writes into a repository: a configuration and a pipeline. Pure."""
