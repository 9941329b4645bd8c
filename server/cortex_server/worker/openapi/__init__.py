"""What an API looks like to its clients: OpenAPI 3.1, and a page to try it on."""
