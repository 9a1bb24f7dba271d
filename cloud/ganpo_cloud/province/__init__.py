"""Counts and sums by place and industry."""
