"""Tables as files: CSV and workbooks, for programs by their columns or for people in words, sent as they are made."""
