"""What comes after the remedy: wishes kept, small gestures, recommendations, the survey."""
