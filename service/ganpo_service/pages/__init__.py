"""What the pages of both processes share: how times are said and a painted day is drawn, tokens, what renews a page."""

from importlib.resources import files

SHARED = files("ganpo_service.pages").joinpath("static")
"""`base.css`, which stands before a page's own, and `page.js`."""
