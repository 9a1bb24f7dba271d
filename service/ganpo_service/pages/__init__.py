"""What the pages of both processes share: how times are said, how a painted day is drawn."""
