"""What is of 微信客服 alone: messages are fetched, sessions have states, losses are told of."""
