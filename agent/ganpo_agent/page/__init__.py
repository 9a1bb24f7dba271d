"""The gateway page: one page of what the local API answers, for whoever stands at the cabinet."""
