"""What customers write on and read from: the web pages."""
