"""The one day row: painted states, judged registers, what they add up to."""
