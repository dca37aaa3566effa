"""Comments under articles: asked for, taken as public posts, answered once."""
