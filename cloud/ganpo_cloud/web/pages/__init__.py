"""The province's pages: each a module that makes what its template shows, in one language, as of one instant."""
