"""What is said in a conversation, until WeChat has taken it.

`deliverer`: `planning` (`rendering`, `cutting`, `choices`) makes sends of events, `dispatching`
(`budget`, `composing`) makes messages of sends, `calling` sends them, `verdicts` says how it ended.
`later`, `telling`: what waits is told of outside of the window. `standing`: what staff see of it.
"""
