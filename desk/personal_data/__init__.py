"""What customers and managers do with somebody's data, and what the desk does by itself."""
