"""Questions, answers, pages, exports."""
